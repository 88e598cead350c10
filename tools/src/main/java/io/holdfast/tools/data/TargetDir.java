package io.holdfast.tools.data;

import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A directory that a command is to write to. */
public final class TargetDir {
  private TargetDir() {}

  /**
   * Makes a directory, or takes an empty one.
   *
   * @param source must be neither the target nor contain it
   * @throws ToolException when it is not empty, or within the source
   */
  public static Path empty(Path target, Path source) throws IOException {
    Path made = create(target, source);
    try (var files = Files.list(made)) {
      if (files.findAny().isPresent()) {
        throw new ToolException(target + " is not empty");
      }
    }
    return made;
  }

  /** Makes a directory unless it is there. */
  public static Path create(Path target, Path source) throws IOException {
    Path from = source.toRealPath();
    Path absolute = target.toAbsolutePath().normalize();
    Path parent = absolute;
    while (!Files.exists(parent)) {
      parent = parent.getParent();
    }
    Path real = parent.toRealPath().resolve(parent.relativize(absolute));
    if (real.startsWith(from)) {
      throw new ToolException(target + " must not be within " + source);
    }
    Files.createDirectories(target);
    return target;
  }
}
