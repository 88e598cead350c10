package io.holdfast.storage.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * A disk that remembers what has been forced: of each file the bytes and the size, of each
 * directory the entries. Nothing is really forced. Files are known by their inode, so that renames,
 * Chronicle's own included, need not be seen. One thread.
 *
 * <p>It can refuse a force, and is then as treacherous as Linux: the dirty pages count as clean, a
 * force that follows succeeds and writes nothing, unless the file was rewritten.
 */
public final class ShadowDisk extends Disk {
  /** What is certain of a file. */
  static final class Shadow {
    byte[] content = new byte[0];
    long size;

    /** Whether a force failed since the file was rewritten, so that none writes anything. */
    boolean pagesDropped;
  }

  /** How many files of logs became another one, on all these disks. */
  public static final AtomicLong USED_AGAIN = new AtomicLong();

  private static final ThreadLocal<ByteBuffer> SCRATCH =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(1 << 20));

  private final Map<Object, Shadow> files = new HashMap<>();
  private final Map<Object, NavigableMap<String, Object>> directories = new HashMap<>();
  private final String bootId;

  /** Keeps what was removed, so that its inode's number is not used again and it can come back. */
  private final Path removed;

  private int removals;

  /** Called before and after each operation: a moment at which power can fail. */
  private Runnable onEvent = () -> {};

  private Predicate<Path> refuses = path -> false;

  /** Everything below a directory is certain. */
  public ShadowDisk(Path root, String bootId) throws IOException {
    this.bootId = bootId;
    removed = Files.createDirectory(root.resolveSibling(root.getFileName() + "-removed"));
    forceAll(root);
  }

  /** Has somebody told of each moment at which power can fail. */
  public void onEvent(Runnable listener) {
    onEvent = listener;
  }

  /** Which forces fail. */
  public void refuses(Predicate<Path> which) {
    refuses = which;
  }

  /** What is certain of a file; null when nothing. */
  Shadow shadow(Object key) {
    return files.get(key);
  }

  /** The bytes of a file that are certain; none of one that was never forced. */
  public byte[] certain(Path file) throws IOException {
    Shadow shadow = shadow(key(file));
    return shadow == null ? new byte[0] : shadow.content.clone();
  }

  /**
   * Makes a directory like another one of this disk, with nothing in it but what is certain of
   * files; one of which nothing is certain is not there.
   */
  public void copyCertain(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Path copy = to.resolve(from.relativize(path));
        byte[] content = certain(path);
        if (Files.isDirectory(path)) {
          Files.createDirectories(copy);
        } else if (content.length > 0) {
          Files.write(copy, content);
        }
      }
    }
  }

  /** The entries of a directory that are certain, by name. */
  NavigableMap<String, Object> entries(Object key) {
    return directories.getOrDefault(key, new TreeMap<>());
  }

  /** Where everything is that was removed. */
  Path removed() {
    return removed;
  }

  static Object key(Path path) throws IOException {
    return Files.getAttribute(path, "unix:ino");
  }

  /** The names in a directory now. */
  static NavigableMap<String, Object> list(Path dir) throws IOException {
    TreeMap<String, Object> entries = new TreeMap<>();
    try (DirectoryStream<Path> paths = Files.newDirectoryStream(dir)) {
      for (Path path : paths) {
        entries.put(path.getFileName().toString(), key(path));
      }
    }
    return entries;
  }

  /**
   * The bytes of a file up to the last that is not zero: what is reserved ahead is much, and a
   * power cut leaves no more of it than of a hole.
   */
  static byte[] read(Path file) throws IOException {
    int end = (int) DurableFiles.dataEnd(file);
    ByteBuffer content = SCRATCH.get();
    if (content.capacity() < end) {
      content = ByteBuffer.allocateDirect(2 * end);
      SCRATCH.set(content);
    }
    content.clear().limit(end);
    try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
      while (content.hasRemaining() && in.read(content, content.position()) > 0) {}
    }
    int bytes = content.position();
    while (bytes >= Long.BYTES && content.getLong(bytes - Long.BYTES) == 0) {
      bytes -= Long.BYTES;
    }
    while (bytes > 0 && content.get(bytes - 1) == 0) {
      bytes--;
    }
    byte[] read = new byte[bytes];
    content.get(0, read);
    return read;
  }

  private void remember(Path file) throws IOException {
    Shadow shadow = files.computeIfAbsent(key(file), k -> new Shadow());
    if (!shadow.pagesDropped) {
      shadow.content = read(file);
      shadow.size = Files.size(file);
    }
  }

  @Override
  public void force(Path file, boolean withSize) throws IOException {
    onEvent.run();
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    if (refuses.test(file)) {
      files.computeIfAbsent(key(file), k -> new Shadow()).pagesDropped = true;
      throw new IOException("Input/output error");
    }
    remember(file);
    onEvent.run();
  }

  @Override
  public void force(Path file, FileChannel locked) throws IOException {
    force(file, true);
  }

  @Override
  public void rewrite(Path file, long end) throws IOException {
    super.rewrite(file, end);
    Shadow shadow = files.get(key(file));
    if (shadow != null) {
      shadow.pagesDropped = false;
    }
    onEvent.run();
  }

  @Override
  public int write(Path file, FileChannel channel, ByteBuffer from, long offset)
      throws IOException {
    onEvent.run();
    int written = super.write(file, channel, from, offset);
    Shadow shadow = files.get(key(file));
    if (shadow != null) {
      shadow.pagesDropped = false;
    }
    onEvent.run();
    return written;
  }

  @Override
  public void forceDirectory(Path dir) throws IOException {
    onEvent.run();
    if (refuses.test(dir)) {
      throw new IOException("Input/output error");
    }
    directories.put(key(dir), list(dir));
    onEvent.run();
  }

  @Override
  public void forceAll(Path dir) throws IOException {
    directories.put(key(dir), list(dir));
    try (DirectoryStream<Path> paths = Files.newDirectoryStream(dir)) {
      for (Path path : paths) {
        if (Files.isDirectory(path)) {
          forceAll(path);
        } else {
          remember(path);
        }
      }
    }
  }

  @Override
  public void createFile(Path file) throws IOException {
    onEvent.run();
    super.createFile(file);
    onEvent.run();
  }

  @Override
  public void createDirectory(Path dir) throws IOException {
    onEvent.run();
    super.createDirectory(dir);
    onEvent.run();
  }

  @Override
  public void move(Path from, Path to) throws IOException {
    onEvent.run();
    keep(to);
    super.move(from, to);
    if (from.toString().endsWith(".spare")) {
      USED_AGAIN.incrementAndGet();
    }
    onEvent.run();
  }

  @Override
  public void delete(Path path) throws IOException {
    onEvent.run();
    if (Files.isDirectory(path)) {
      Files.move(path, removed.resolve("d" + removals++));
    } else {
      keep(path);
      super.delete(path);
    }
    onEvent.run();
  }

  private void keep(Path file) throws IOException {
    if (Files.isRegularFile(file)) {
      Files.createLink(removed.resolve("f" + removals++), file);
    }
  }

  @Override
  public String bootId() {
    return bootId;
  }
}
