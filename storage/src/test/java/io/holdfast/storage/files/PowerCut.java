package io.holdfast.storage.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Builds a directory as a power cut could leave it now. Certain is what was forced. Of everything
 * later, independently:
 *
 * <ul>
 *   <li>each page of 4 KiB is old, new, or torn between the two at sectors of 512 bytes or at any
 *       byte (old is zero where nothing was forced);
 *   <li>a file has its old size, its new one, or one between them;
 *   <li>a created file is there or not, a removed one is gone or not, a renamed one has one of its
 *       names; a file that replaced another is there or the other one is.
 * </ul>
 */
public final class PowerCut {
  private static final int PAGE_BYTES = 4096;
  private static final int SECTOR_BYTES = 512;

  private final ShadowDisk disk;
  private final Random random;

  /** Where every inode is now, what was removed included. */
  private final Map<Object, Path> places = new HashMap<>();

  /** What is in the image already: it has one name only. */
  private final Set<Object> placed = new HashSet<>();

  private PowerCut(ShadowDisk disk, Random random) {
    this.disk = disk;
    this.random = random;
  }

  /**
   * @param root what is cut off from power; stays as it is
   * @param to a directory that does not exist
   */
  public static void image(ShadowDisk disk, Path root, Path to, long seed) throws IOException {
    PowerCut cut = new PowerCut(disk, new Random(seed));
    for (Path tree : new Path[] {root, disk.removed()}) {
      try (Stream<Path> paths = Files.walk(tree)) {
        for (Path path : (Iterable<Path>) paths.sorted()::iterator) {
          cut.places.put(ShadowDisk.key(path), path);
        }
      }
    }
    Files.createDirectory(to);
    cut.directory(ShadowDisk.key(root), to);
  }

  private void directory(Object key, Path to) throws IOException {
    NavigableMap<String, Object> old = disk.entries(key);
    NavigableMap<String, Object> now = ShadowDisk.list(places.get(key));
    Map<Object, String> names = new HashMap<>();
    old.forEach((name, inode) -> names.put(inode, name));
    TreeSet<String> all = new TreeSet<>(old.keySet());
    all.addAll(now.keySet());
    for (String name : all) {
      Object was = old.get(name);
      Object is = now.get(name);
      Object chosen;
      if (was == null) {
        // Created, moved here, or renamed.
        chosen = random.nextBoolean() ? is : null;
      } else if (is == null) {
        // Removed, moved away, or renamed.
        chosen = random.nextBoolean() ? was : null;
      } else {
        chosen = random.nextBoolean() ? was : is;
      }
      if (was != null && was.equals(is)) {
        chosen = was;
      }
      if (chosen != null && places.containsKey(chosen) && placed.add(chosen)) {
        place(chosen, to.resolve(name));
      }
    }
    // A rename is atomic: what had a certain name and was only renamed here has one of the two.
    for (Map.Entry<String, Object> entry : now.entrySet()) {
      boolean free = !Files.exists(to.resolve(entry.getKey()));
      if (names.containsKey(entry.getValue()) && free && placed.add(entry.getValue())) {
        place(entry.getValue(), to.resolve(entry.getKey()));
      }
    }
  }

  private void place(Object key, Path to) throws IOException {
    Path from = places.get(key);
    if (Files.isDirectory(from)) {
      Files.createDirectory(to);
      directory(key, to);
    } else {
      file(key, from, to);
    }
  }

  private void file(Object key, Path from, Path to) throws IOException {
    ShadowDisk.Shadow shadow = disk.shadow(key);
    byte[] old = shadow == null ? new byte[0] : shadow.content;
    long oldSize = shadow == null ? 0 : shadow.size;
    byte[] now = ShadowDisk.read(from);
    long nowSize = Files.size(from);
    // Not one draw per page from the same source: a page more or less must not change the rest.
    Random own = new Random(random.nextLong());
    double chanceOfNew = new double[] {0, 0.1, 0.5, 0.9, 1}[own.nextInt(5)];
    long size =
        switch (own.nextInt(3)) {
          case 0 -> oldSize;
          case 1 -> nowSize;
          default ->
              Math.min(oldSize, nowSize) + (long) (own.nextDouble() * Math.abs(oldSize - nowSize));
        };
    try (FileChannel out =
        FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      byte[] page = new byte[PAGE_BYTES];
      byte[] oldPage = new byte[PAGE_BYTES];
      for (int at = 0; at < Math.min(size, Math.max(old.length, now.length)); at += PAGE_BYTES) {
        copy(old, at, oldPage);
        copy(now, at, page);
        if (!Arrays.equals(oldPage, page)) {
          mix(oldPage, page, own, chanceOfNew);
        }
        if (!isZero(page)) {
          out.write(ByteBuffer.wrap(page, 0, (int) Math.min(PAGE_BYTES, size - at)), at);
        }
      }
      if (out.size() < size) {
        out.write(ByteBuffer.allocate(1), size - 1);
      }
    }
  }

  private static void copy(byte[] from, int at, byte[] page) {
    int bytes = Math.max(0, Math.min(PAGE_BYTES, from.length - at));
    Arrays.fill(page, bytes, PAGE_BYTES, (byte) 0);
    if (bytes > 0) {
      System.arraycopy(from, at, page, 0, bytes);
    }
  }

  private static boolean isZero(byte[] page) {
    for (byte b : page) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  /** Leaves in the new page what the cut leaves. */
  private static void mix(byte[] old, byte[] page, Random random, double chanceOfNew) {
    int kind = random.nextInt(10);
    if (kind < 7) {
      if (random.nextDouble() >= chanceOfNew) {
        System.arraycopy(old, 0, page, 0, PAGE_BYTES);
      }
    } else if (kind == 7) {
      for (int at = 0; at < PAGE_BYTES; at += SECTOR_BYTES) {
        if (random.nextBoolean()) {
          System.arraycopy(old, at, page, at, SECTOR_BYTES);
        }
      }
    } else {
      int at = random.nextInt(PAGE_BYTES);
      if (kind == 8) {
        System.arraycopy(old, at, page, at, PAGE_BYTES - at);
      } else {
        System.arraycopy(old, 0, page, 0, at);
      }
    }
  }
}
