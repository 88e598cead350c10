package io.holdfast.broker.cluster.engine;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.raft.RaftLogOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Directories of groups in tests: small files, copies of what a kill would leave. */
final class GroupDirs {
  static final RaftLogOptions OPTIONS = new RaftLogOptions(64 << 10, 256 << 10);

  private GroupDirs() {}

  static GroupFiles files(Path dir, LastStop lastStop) {
    return new GroupFiles(dir, Disk.LOCAL, OPTIONS, lastStop);
  }

  /** What a process that is killed now would leave; nothing may be under way. */
  static void copy(Path from, Path to) throws IOException {
    List<Path> all;
    try (Stream<Path> walk = Files.walk(from)) {
      all = walk.collect(Collectors.toList());
    }
    for (Path one : all) {
      Path target = to.resolve(from.relativize(one).toString());
      if (Files.isDirectory(one)) {
        Files.createDirectories(target);
      } else {
        Files.copy(one, target);
      }
    }
  }

  /** Flips a bit of an entry that a group's log has. */
  static void damage(Path group, String entry) throws IOException {
    for (Path file : logFiles(group)) {
      String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
      int at = bytes.indexOf(entry);
      if (at >= 0) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.write(ByteBuffer.wrap(new byte[] {(byte) (bytes.charAt(at) ^ 1)}), at);
        }
        return;
      }
    }
    throw new IOException("there is no " + entry + " in " + group);
  }

  /** Makes a log not know how far it was forced, as after a power cut. */
  static void forgetEnd(Path group) throws IOException {
    Files.write(group.resolve("log/end"), new byte[0]);
  }

  /** The files of a group's log, the oldest first. */
  static List<Path> logFiles(Path group) throws IOException {
    try (Stream<Path> files = Files.list(group.resolve("log"))) {
      return files
          .filter(file -> file.toString().endsWith(".cq4"))
          .sorted()
          .collect(Collectors.toList());
    }
  }
}
