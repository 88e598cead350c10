package io.holdfast.broker.cluster;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A disk that knows what was forced, and what a power cut can leave of it: of everything later each
 * page is old or new, each name is there or not. Files may have several names. A coarser one than
 * the storage's, for states of many files. One thread.
 */
public final class LossyDisk extends Disk {
  private static final int PAGE_BYTES = 4096;

  /** What is certain of a file. */
  private record Forced(byte[] content, long size) {}

  private final Map<Object, Forced> files = new HashMap<>();
  private final Map<Object, Map<String, Object>> directories = new HashMap<>();

  /** Keeps the inodes of what was removed: it can come back. */
  private final Path removed;

  private int removals;

  /** Everything below a directory is certain. */
  public LossyDisk(Path root, Path removed) throws IOException {
    this.removed = Files.createDirectory(removed);
    forceAll(root);
  }

  private static Object key(Path path) throws IOException {
    return Files.getAttribute(path, "unix:ino");
  }

  private static Map<String, Object> list(Path dir) throws IOException {
    TreeMap<String, Object> entries = new TreeMap<>();
    try (DirectoryStream<Path> paths = Files.newDirectoryStream(dir)) {
      for (Path path : paths) {
        entries.put(path.getFileName().toString(), key(path));
      }
    }
    return entries;
  }

  private static byte[] read(Path file) throws IOException {
    ByteBuffer content = ByteBuffer.allocate((int) DurableFiles.dataEnd(file));
    try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
      while (content.hasRemaining()) {
        if (in.read(content, content.position()) <= 0) {
          break;
        }
      }
    }
    return content.array();
  }

  @Override
  public void force(Path file, boolean withSize) throws IOException {
    files.put(key(file), new Forced(read(file), Files.size(file)));
  }

  @Override
  public void force(Path file, FileChannel locked) throws IOException {
    force(file, true);
  }

  @Override
  public void forceDirectory(Path dir) throws IOException {
    directories.put(key(dir), list(dir));
  }

  @Override
  public void forceAll(Path dir) throws IOException {
    forceDirectory(dir);
    try (DirectoryStream<Path> paths = Files.newDirectoryStream(dir)) {
      for (Path path : paths) {
        if (Files.isDirectory(path)) {
          forceAll(path);
        } else {
          force(path, true);
        }
      }
    }
  }

  @Override
  public void delete(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      Files.move(path, removed.resolve("d" + removals++));
    } else if (Files.exists(path)) {
      Files.move(path, removed.resolve("f" + removals++));
    }
  }

  @Override
  public void move(Path from, Path to) throws IOException {
    if (Files.exists(to)) {
      delete(to);
    }
    super.move(from, to);
  }

  /** What a power cut leaves of a directory, in one that does not exist yet. */
  public void cut(Path root, Path to, long seed) throws IOException {
    new Cut(seed).make(root, to);
  }

  private final class Cut {
    private final Random random;
    private final Map<Object, Path> places = new HashMap<>();
    private final Map<Object, Path> placed = new HashMap<>();

    Cut(long seed) {
      random = new Random(seed);
    }

    void make(Path root, Path to) throws IOException {
      for (Path tree : new Path[] {root, removed}) {
        try (var paths = Files.walk(tree)) {
          for (Path path : (Iterable<Path>) paths.sorted()::iterator) {
            places.put(key(path), path);
          }
        }
      }
      directory(key(root), to);
    }

    private void directory(Object key, Path to) throws IOException {
      Files.createDirectory(to);
      Map<String, Object> old = directories.getOrDefault(key, Map.of());
      Map<String, Object> now = list(places.get(key));
      Set<String> names = new TreeSet<>(old.keySet());
      names.addAll(now.keySet());
      for (String name : names) {
        Object chosen = random.nextBoolean() ? old.get(name) : now.get(name);
        if (old.get(name) != null && old.get(name).equals(now.get(name))) {
          chosen = old.get(name);
        }
        if (chosen != null && places.containsKey(chosen)) {
          place(chosen, to.resolve(name));
        }
      }
    }

    private void place(Object key, Path to) throws IOException {
      Path from = places.get(key);
      Path before = placed.get(key);
      if (Files.isDirectory(from)) {
        if (before == null) {
          placed.put(key, to);
          directory(key, to);
        }
      } else if (before != null) {
        Files.createLink(to, before);
      } else {
        placed.put(key, to);
        file(key, from, to);
      }
    }

    private void file(Object key, Path from, Path to) throws IOException {
      Forced forced = files.getOrDefault(key, new Forced(new byte[0], 0));
      byte[] now = read(from);
      long nowSize = Files.size(from);
      double chanceOfNew = new double[] {0, 0.5, 1}[random.nextInt(3)];
      long size = random.nextBoolean() ? forced.size() : nowSize;
      int bytes = (int) Math.min(size, Math.max(forced.content().length, now.length));
      byte[] content = new byte[bytes];
      for (int at = 0; at < bytes; at += PAGE_BYTES) {
        byte[] source = random.nextDouble() < chanceOfNew ? now : forced.content();
        int length = Math.min(PAGE_BYTES, Math.min(bytes, source.length) - at);
        if (length > 0) {
          System.arraycopy(source, at, content, at, length);
        }
      }
      Files.write(to, content, StandardOpenOption.CREATE_NEW);
      try (FileChannel out = FileChannel.open(to, StandardOpenOption.WRITE)) {
        if (size > bytes) {
          out.write(ByteBuffer.allocate(1), size - 1);
        }
      }
    }
  }
}
