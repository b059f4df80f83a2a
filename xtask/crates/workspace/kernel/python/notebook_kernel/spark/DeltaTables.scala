package xtask.spark

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{FileAlreadyExistsException, Files, StandardCopyOption}
import java.util
import scala.jdk.CollectionConverters._
import io.delta.sql.parser.DeltaSqlParser
import io.delta.storage.LocalLogStore
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{LocalFileSystem, Path}
import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.catalyst.TableIdentifier
import org.apache.spark.sql.catalyst.catalog.{CatalogStorageFormat, CatalogTable, CatalogTableType}
import org.apache.spark.sql.catalyst.parser.{ParameterContext, ParameterHandler, ParserInterface}
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.connector.catalog.{Identifier, StagedTable, Table, TableCatalog, TableInfo}
import org.apache.spark.sql.connector.expressions.Transform
import org.apache.spark.sql.delta.DeltaLog
import org.apache.spark.sql.delta.catalog.{DeltaCatalog, DeltaTableV2}
import org.apache.spark.sql.types.StructType
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * A catalog of the local workspace with Delta: a table is a Delta table unless another format is asked for.
 *
 * Delta's own catalog makes and changes the tables. It is told their folders, as it can register names in Spark's
 * session catalog alone; [[LocalCatalog]] keeps names, schemas and the tables of other formats.
 */
class DeltaTables extends DeltaCatalog {
  private val tables = new LocalCatalog

  override def initialize(name: String, options: CaseInsensitiveStringMap): Unit = {
    tables.initialize(name, options)
    setDelegateCatalog(tables)
    super.initialize(name, options)
  }

  override def loadTable(ident: Identifier): Table =
    if (isPathIdentifier(ident)) loadPathTable(ident)
    else if (!tables.isDelta(ident)) super.loadTable(ident)
    else {
      val folder = tables.folder(ident)
      // Delta's Python API would look a second name up in the current catalog.
      val identifier = TableIdentifier(ident.name, ident.namespace.headOption, Some(name()))
      val storage = CatalogStorageFormat.empty.copy(locationUri = Some(folder.toUri))
      val table = CatalogTable(identifier, CatalogTableType.MANAGED, storage, new StructType, provider = Some("delta"))
      DeltaTableV2(spark, new Path(folder.toUri), catalogTable = Some(table), tableIdentifier = None)
    }

  override def createTable(
      ident: Identifier, schema: StructType, partitions: Array[Transform], properties: util.Map[String, String]): Table =
    super.createTable(made(ident, properties), schema, partitions, properties)

  override def createTableLike(ident: Identifier, info: TableInfo, source: Table): Table =
    super.createTableLike(made(ident, info.properties), info, source)

  override def stageCreate(
      ident: Identifier, schema: StructType, partitions: Array[Transform], properties: util.Map[String, String]): StagedTable =
    super.stageCreate(made(ident, properties), schema, partitions, properties)

  override def stageReplace(
      ident: Identifier, schema: StructType, partitions: Array[Transform], properties: util.Map[String, String]): StagedTable =
    super.stageReplace(replaced(ident, properties), schema, partitions, properties)

  override def stageCreateOrReplace(
      ident: Identifier, schema: StructType, partitions: Array[Transform], properties: util.Map[String, String]): StagedTable =
    super.stageCreateOrReplace(replaced(ident, properties), schema, partitions, properties)

  override def dropTable(ident: Identifier): Boolean = forgetting(ident)(super.dropTable(ident))

  override def renameTable(from: Identifier, to: Identifier): Unit = forgetting(from)(super.renameTable(from, to))

  /** The name under which Delta makes a table: its folder. */
  private def made(ident: Identifier, properties: util.Map[String, String]): Identifier = {
    val isDelta = properties.getOrDefault(TableCatalog.PROP_PROVIDER, "delta").equalsIgnoreCase("delta")
    if (!isDelta || isPathIdentifier(ident)) ident
    else {
      if (properties.containsKey(TableCatalog.PROP_LOCATION))
        throw new UnsupportedOperationException(s"${name()}.$ident: the local workspace keeps tables in its own folder, not at a LOCATION")
      tables.check(ident)
      Identifier.of(Array("delta"), tables.folder(ident).toString)
    }
  }

  /** The same, where a table of another format gives way to it. */
  private def replaced(ident: Identifier, properties: util.Map[String, String]): Identifier = {
    val name = made(ident, properties)
    if (name != ident && tables.tableExists(ident) && !tables.isDelta(ident)) tables.dropTable(ident)
    name
  }

  /** Delta remembers logs by their folders. */
  private def forgetting[A](ident: Identifier)(act: => A): A = {
    val folder = new Path(tables.folder(ident).toUri)
    try act finally DeltaLog.invalidateCache(spark, folder)
  }
}

/** Delta's log on local files. A commit is there whole or not at all, and two processes cannot both make the same one. */
class DeltaFiles(conf: Configuration) extends LocalLogStore(conf) {
  override def write(path: Path, actions: util.Iterator[String], overwrite: java.lang.Boolean, conf: Configuration): Unit = {
    val target = path.getFileSystem(conf).asInstanceOf[LocalFileSystem].pathToFile(path).toPath
    val written = Files.createTempFile(target.getParent, ".", ".tmp")
    try {
      Files.writeString(written, actions.asScala.map(_ + "\n").mkString, UTF_8)
      if (overwrite) Files.move(written, target, StandardCopyOption.ATOMIC_MOVE)
      else Files.createLink(target, written)
    } catch {
      case _: FileAlreadyExistsException => throw new FileAlreadyExistsException(path.toString)
    } finally Files.deleteIfExists(written)
  }

  override def isPartialWriteVisible(path: Path, conf: Configuration): java.lang.Boolean = false
}

/** Puts the values of parameters (`:name`, `?`) into a statement: Spark asks the outermost parser, and Delta's does not. */
class DeltaParameters extends (SparkSessionExtensions => Unit) {
  override def apply(extensions: SparkSessionExtensions): Unit = extensions.injectParser((_, parser) => new Parser(parser))

  private class Parser(delegate: ParserInterface) extends DeltaSqlParser(delegate) {
    override def parsePlanWithParameters(text: String, context: ParameterContext): LogicalPlan =
      parsePlan(ParameterHandler.substituteParameters(text, context)._1)
  }
}
