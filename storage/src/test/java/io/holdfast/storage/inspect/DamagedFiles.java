package io.holdfast.storage.inspect;

import io.holdfast.storage.files.DurableFiles;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Damages files as disks and people do. */
final class DamagedFiles {
  private DamagedFiles() {}

  /** The queue files in a directory, oldest first. */
  static List<Path> files(Path of) throws IOException {
    try (Stream<Path> all = Files.list(of)) {
      return all.filter(f -> f.toString().endsWith(".cq4")).sorted().toList();
    }
  }

  /** Where bytes begin in others; they are there. */
  static int indexOf(byte[] in, byte[] what) {
    for (int i = 0; i + what.length <= in.length; i++) {
      if (Arrays.equals(in, i, i + what.length, what, 0, what.length)) {
        return i;
      }
    }
    throw new AssertionError("not found");
  }

  /** Inverts bits of one byte. */
  static void flip(Path file, long at, int bits) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(at);
      int value = bytes.read();
      bytes.seek(at);
      bytes.write(value ^ bits);
    }
  }

  /** Writes over what is there. */
  static void overwrite(Path file, long at, byte[] with) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(at);
      bytes.write(with);
    }
  }

  /** Cuts a file off, or makes it longer. */
  static void cut(Path file, long bytes) throws IOException {
    try (RandomAccessFile to = new RandomAccessFile(file.toFile(), "rw")) {
      to.setLength(bytes);
    }
  }

  /** Files are sparse: only the data. */
  static byte[] data(Path file) throws IOException {
    byte[] data = new byte[(int) DurableFiles.dataEnd(file)];
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      in.readFully(data);
    }
    return data;
  }
}
