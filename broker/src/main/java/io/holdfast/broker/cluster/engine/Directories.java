package io.holdfast.broker.cluster.engine;

import io.holdfast.storage.files.Disk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Directories as a whole. Stateless. */
final class Directories {
  private Directories() {}

  /** Makes sure that the names in a directory, and in those below it, are on disk. */
  static void force(Disk disk, Path dir) throws IOException {
    List<Path> all;
    try (Stream<Path> walk = Files.walk(dir)) {
      all = walk.filter(Files::isDirectory).collect(Collectors.toList());
    }
    for (Path one : all) {
      disk.forceDirectory(one);
    }
  }
}
