package xtask.spark

import java.io.File
import org.apache.hadoop.fs.{FileStatus, LocalFileSystem, Path, RawLocalFileSystem}

/** Local files, with /Volumes and /Workspace where the local workspace keeps them. */
class WorkspaceFileSystem extends LocalFileSystem(new MappedFileSystem)

class MappedFileSystem extends RawLocalFileSystem {
  /** `/Volumes=/real/folder` and more of them, one a line. */
  private lazy val roots: Seq[(String, String)] =
    getConf.get("xtask.roots", "").split("\n").toSeq.map(_.split("=", 2)).collect { case Array(from, to) => (from, to) }

  override def pathToFile(path: Path): File = {
    val file = super.pathToFile(path)
    val name = file.toPath.normalize.toString
    roots.collectFirst {
      case (from, to) if name == from || name.startsWith(from + "/") => new File(to + name.substring(from.length))
    }.getOrElse(file)
  }

  // Files go by the names that they are asked for.
  override def getFileStatus(path: Path): FileStatus = {
    val status = super.getFileStatus(path)
    status.setPath(path.makeQualified(getUri, getWorkingDirectory))
    status
  }

  override def listStatus(path: Path): Array[FileStatus] =
    if (pathToFile(path).isFile) Array(getFileStatus(path)) else super.listStatus(path)
}
