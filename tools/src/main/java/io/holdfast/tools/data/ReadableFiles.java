package io.holdfast.tools.data;

import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.AccessMode;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.EnumSet;

/**
 * Looks before a command reads: what this user may not read is no damage and no empty directory,
 * and a named pipe would be waited for forever.
 */
public final class ReadableFiles {
  private ReadableFiles() {}

  /**
   * Checks a file or directory itself.
   *
   * @param path nothing happens when it is not there
   * @throws ToolException exit code 2, naming the path, when it cannot be read or is neither
   */
  public static void check(Path path) throws IOException {
    try {
      BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
      check(path, attributes);
    } catch (NoSuchFileException e) {
      return; // Whether it must be there is for others to say.
    } catch (AccessDeniedException e) {
      throw denied(path, e);
    }
  }

  /**
   * Checks everything in a directory; what goes meanwhile is passed over.
   *
   * @param dir nothing happens when it is not there
   * @throws ToolException as {@link #check(Path)}
   */
  public static void checkTree(Path dir) throws IOException {
    Files.walkFileTree(
        dir,
        EnumSet.of(FileVisitOption.FOLLOW_LINKS),
        Integer.MAX_VALUE,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path entry, BasicFileAttributes attributes)
              throws IOException {
            return visitFile(entry, attributes);
          }

          @Override
          public FileVisitResult visitFile(Path entry, BasicFileAttributes attributes)
              throws IOException {
            check(entry, attributes);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path entry, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            if (e instanceof AccessDeniedException) {
              throw denied(entry, e);
            }
            throw e;
          }
        });
  }

  private static void check(Path path, BasicFileAttributes attributes) throws IOException {
    if (attributes.isOther()) {
      throw ToolException.unreadable(path + " is neither a regular file nor a directory", null);
    }
    try {
      if (attributes.isDirectory()) {
        access(path, AccessMode.READ, AccessMode.EXECUTE);
      } else {
        access(path, AccessMode.READ);
      }
    } catch (AccessDeniedException e) {
      throw denied(path, e);
    } catch (NoSuchFileException e) {
      return; // A running broker removed it.
    }
  }

  private static void access(Path path, AccessMode... modes) throws IOException {
    path.getFileSystem().provider().checkAccess(path, modes);
  }

  private static ToolException denied(Path path, IOException e) {
    return ToolException.unreadable(path + ": permission denied", e);
  }
}
