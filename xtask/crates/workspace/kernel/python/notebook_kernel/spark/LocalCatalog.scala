package xtask.spark

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Path, Paths}
import java.util
import java.util.Comparator
import scala.jdk.CollectionConverters._
import scala.util.Using
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.analysis.{NoSuchNamespaceException, NoSuchTableException, NonEmptyNamespaceException, TableAlreadyExistsException}
import org.apache.spark.sql.connector.catalog.{Identifier, NamespaceChange, SupportsNamespaces, Table, TableCapability, TableCatalog, TableChange}
import org.apache.spark.sql.connector.expressions.Transform
import org.apache.spark.sql.connector.write.{BatchWrite, DataWriterFactory, LogicalWriteInfo, PhysicalWriteInfo, SupportsTruncate, Write, WriteBuilder, WriterCommitMessage}
import org.apache.spark.sql.execution.datasources.parquet.ParquetFileFormat
import org.apache.spark.sql.execution.datasources.v2.parquet.ParquetTable
import org.apache.spark.sql.types.{DataType, StructType}
import org.apache.spark.sql.util.CaseInsensitiveStringMap

/**
 * A catalog of the local workspace: `catalog.schema.table` is a folder of Parquet files, with its columns in a file beside it.
 *
 * Compiled on the user's machine with the Scala compiler that Spark brings, so it fits the Spark that is there.
 */
class LocalCatalog extends TableCatalog with SupportsNamespaces {
  private var catalog = ""
  private var root: Path = _

  override def initialize(name: String, options: CaseInsensitiveStringMap): Unit = {
    catalog = name
    root = Paths.get(options.get("folder"))
  }

  override def name(): String = catalog

  override def defaultNamespace(): Array[String] = Array("default")

  override def listNamespaces(): Array[Array[String]] = folders(root).map(Array(_))

  override def listNamespaces(namespace: Array[String]): Array[Array[String]] =
    if (namespace.isEmpty) listNamespaces() else Array.empty

  override def loadNamespaceMetadata(namespace: Array[String]): util.Map[String, String] = {
    schema(namespace)
    util.Map.of()
  }

  override def createNamespace(namespace: Array[String], metadata: util.Map[String, String]): Unit =
    Files.createDirectories(place(namespace))

  override def alterNamespace(namespace: Array[String], changes: NamespaceChange*): Unit =
    throw new UnsupportedOperationException("the local workspace's Spark does not change schemas")

  override def dropNamespace(namespace: Array[String], cascade: Boolean): Boolean = {
    val folder = schema(namespace)
    if (!cascade && folders(folder).nonEmpty) throw new NonEmptyNamespaceException(namespace)
    remove(folder)
    true
  }

  override def listTables(namespace: Array[String]): Array[Identifier] =
    folders(schema(namespace)).map(Identifier.of(namespace, _)).filter(tableExists)

  override def tableExists(ident: Identifier): Boolean = isDelta(ident) || Files.isRegularFile(columnsFile(ident))

  override def loadTable(ident: Identifier): Table = {
    if (!tableExists(ident)) throw new NoSuchTableException(ident)
    if (isDelta(ident)) throw new UnsupportedOperationException(s"$catalog.$ident: the local workspace keeps tables as Parquet, not as delta")
    val schema = DataType.fromJson(Files.readString(columnsFile(ident), UTF_8)).asInstanceOf[StructType]
    new LocalTable(s"$catalog.$ident", folder(ident), schema)
  }

  override def createTable(
      ident: Identifier, columns: StructType, partitions: Array[Transform], properties: util.Map[String, String]): Table = {
    schema(ident.namespace)
    if (partitions.nonEmpty)
      throw new UnsupportedOperationException(s"$catalog.$ident: partitioned tables are not kept by the local workspace")
    val provider = properties.getOrDefault(TableCatalog.PROP_PROVIDER, "parquet")
    if (provider != "parquet")
      throw new UnsupportedOperationException(s"$catalog.$ident: the local workspace keeps tables as Parquet, not as $provider")
    if (tableExists(ident)) throw new TableAlreadyExistsException(ident)
    Files.createDirectories(folder(ident))
    Files.writeString(columnsFile(ident), StructType(columns.map(_.copy(nullable = true))).json, UTF_8)
    loadTable(ident)
  }

  override def alterTable(ident: Identifier, changes: TableChange*): Table =
    throw new UnsupportedOperationException("the local workspace's Spark does not change tables")

  override def dropTable(ident: Identifier): Boolean = tableExists(ident) && {
    // Without these it is no table any more, however far the rest gets.
    Files.deleteIfExists(columnsFile(ident))
    if (isDelta(ident)) remove(log(ident))
    remove(folder(ident))
    true
  }

  override def renameTable(from: Identifier, name: Identifier): Unit = {
    // The new name may be a full one.
    val to = if (name.namespace.headOption.contains(catalog)) Identifier.of(name.namespace.tail, name.name) else name
    if (!tableExists(from)) throw new NoSuchTableException(from)
    if (tableExists(to)) throw new TableAlreadyExistsException(to)
    schema(to.namespace)
    Files.move(folder(from), folder(to))
    if (!isDelta(to)) Files.move(columnsFile(from), columnsFile(to))
  }

  /** Whether there is a Delta table of that name. */
  def isDelta(ident: Identifier): Boolean = Files.isDirectory(log(ident))

  /** Sees to it that a table may be made. */
  def check(ident: Identifier): Unit = schema(ident.namespace)

  /** Where a table's files are. */
  def folder(ident: Identifier): Path = place(ident.namespace :+ ident.name)

  private def log(ident: Identifier): Path = folder(ident).resolve("_delta_log")

  private def schema(namespace: Array[String]): Path = {
    val folder = place(namespace)
    if (!Files.isDirectory(folder)) throw new NoSuchNamespaceException(catalog +: namespace)
    folder
  }

  private def columnsFile(ident: Identifier): Path = folder(ident).resolveSibling(s"_${ident.name.toLowerCase}.json")

  private def place(names: Array[String]): Path = names.foldLeft(root) { (folder, name) =>
    if (!name.matches("[A-Za-z0-9-][A-Za-z0-9_-]*")) throw new IllegalArgumentException(s"$name is no name of a schema or table")
    folder.resolve(name.toLowerCase)
  }

  private def folders(parent: Path): Array[String] =
    if (!Files.isDirectory(parent)) Array.empty
    else Using.resource(Files.list(parent))(_.iterator.asScala.filter(Files.isDirectory(_)).map(_.getFileName.toString).toArray.sorted)

  private def remove(folder: Path): Unit =
    Using.resource(Files.walk(folder))(_.sorted(Comparator.reverseOrder[Path]).forEach(Files.delete(_)))
}

/** A Parquet table that can be replaced as a whole, too: Spark's own only grows. */
class LocalTable(name: String, folder: Path, schema: StructType)
    extends ParquetTable(name, SparkSession.active, CaseInsensitiveStringMap.empty(), Seq(folder.toUri.toString),
      Some(schema), classOf[ParquetFileFormat]) {

  override def capabilities(): util.Set[TableCapability] =
    (super.capabilities.asScala.toSet + TableCapability.TRUNCATE).asJava

  override def newWriteBuilder(info: LogicalWriteInfo): WriteBuilder = {
    val appending = super.newWriteBuilder(info)
    new WriteBuilder with SupportsTruncate {
      private var replaces = false
      override def truncate(): WriteBuilder = { replaces = true; this }
      override def build(): Write = if (replaces) new Replacing(appending.build(), folder) else appending.build()
    }
  }
}

/** Writes new files, and removes the old ones once they are there. */
class Replacing(write: Write, folder: Path) extends Write {
  override def toBatch: BatchWrite = {
    val batch = write.toBatch
    val old = Using.resource(Files.list(folder))(_.iterator.asScala.filterNot(_.getFileName.toString.startsWith("_")).toList)
    new BatchWrite {
      override def createBatchWriterFactory(info: PhysicalWriteInfo): DataWriterFactory = batch.createBatchWriterFactory(info)
      override def useCommitCoordinator(): Boolean = batch.useCommitCoordinator()
      override def abort(messages: Array[WriterCommitMessage]): Unit = batch.abort(messages)
      override def commit(messages: Array[WriterCommitMessage]): Unit = {
        batch.commit(messages)
        old.foreach(Files.deleteIfExists(_))
      }
    }
  }
}

