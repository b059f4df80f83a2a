package xtask.spark

import java.io.File
import java.net.URI
import org.apache.hadoop.fs.{FileStatus, LocalFileSystem, Path, RawLocalFileSystem}

/** Local files, with /Volumes and /Workspace where the local workspace keeps them. */
class WorkspaceFileSystem extends LocalFileSystem(new MappedFileSystem)

/** `dbfs:/`: volumes and workspace files by their own paths, anything else below the workspace's DBFS root. */
class DbfsFileSystem extends LocalFileSystem(new DbfsRoot) {
  override def getScheme: String = "dbfs"
}

class MappedFileSystem extends RawLocalFileSystem {
  /** `/Volumes=/real/folder` and more of them, one a line. */
  protected lazy val roots: Seq[(String, String)] =
    getConf.get("xtask.roots", "").split("\n").toSeq.map(_.split("=", 2)).collect { case Array(from, to) => (from, to) }

  override def pathToFile(path: Path): File = {
    val file = super.pathToFile(path)
    val name = file.toPath.normalize.toString
    roots.collectFirst {
      case (from, to) if name == from || name.startsWith(from + "/") => new File(to + name.substring(from.length))
    }.getOrElse(elsewhere(file))
  }

  /** The file behind a path that lies below no root. */
  protected def elsewhere(file: File): File = file

  // Files go by the names that they are asked for.
  override def getFileStatus(path: Path): FileStatus = {
    val status = super.getFileStatus(path)
    status.setPath(path.makeQualified(getUri, getWorkingDirectory))
    status
  }

  override def listStatus(path: Path): Array[FileStatus] =
    if (pathToFile(path).isFile) Array(getFileStatus(path)) else super.listStatus(path)
}

class DbfsRoot extends MappedFileSystem {
  override def getScheme: String = "dbfs"

  override def getUri: URI = URI.create("dbfs:///")

  override protected def elsewhere(file: File): File =
    roots.collectFirst { case ("/dbfs", to) => new File(to + file.toPath.normalize) }.getOrElse(file)
}
