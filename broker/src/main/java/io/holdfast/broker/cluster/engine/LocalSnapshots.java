package io.holdfast.broker.cluster.engine;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * The snapshots of a {@link LocalGroup}: a directory each, {@code <index>-<term>}, which has its
 * name once everything in it is on disk. Its {@code files} lists what belongs to it. One thread at
 * a time.
 */
final class LocalSnapshots {
  private static final String LIST = "files";
  private static final String UNFINISHED = "unfinished";
  private static final Pattern NAME = Pattern.compile("(\\d{1,18})-(\\d{1,18})");

  /** A finished snapshot; the first of all is that of nothing, and has no directory. */
  record Found(long index, long term, Path dir) implements Comparable<Found> {
    @Override
    public int compareTo(Found other) {
      return Long.compare(index, other.index);
    }
  }

  static final Found NONE = new Found(0, 0, null);

  private final Path dir;
  private final Disk disk;

  LocalSnapshots(Path dir, Disk disk) {
    this.dir = dir;
    this.disk = disk;
  }

  /**
   * The newest one, whole; what is left of others is removed.
   *
   * @throws IOException when it has lost something
   */
  Found open() throws IOException {
    Found newest = newest();
    if (newest.dir() != null) {
      check(newest.dir());
    }
    keepOnly(newest);
    return newest;
  }

  private Found newest() throws IOException {
    TreeSet<Found> all = new TreeSet<>();
    all.add(NONE);
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(dir)) {
      for (Path entry : entries) {
        Matcher name = NAME.matcher(entry.getFileName().toString());
        if (name.matches()) {
          all.add(new Found(Long.parseLong(name.group(1)), Long.parseLong(name.group(2)), entry));
        }
      }
    }
    return all.last();
  }

  private void check(Path snapshot) throws IOException {
    Path list = snapshot.resolve(LIST);
    String content = new String(disk.readAll(list), StandardCharsets.UTF_8);
    int end = content.indexOf('\n') + 1;
    String names = content.substring(end);
    if (end == 0 || !content.substring(0, end).equals(head(names))) {
      throw new IOException("snapshot damaged: " + list + ":0: its checksum is another one");
    }
    for (String name : names.lines().toList()) {
      if (!Files.isRegularFile(snapshot.resolve(name))) {
        throw new IOException("snapshot damaged: " + snapshot.resolve(name) + ": it is gone");
      }
    }
  }

  private static String head(String names) {
    CRC32C crc = new CRC32C();
    crc.update(names.getBytes(StandardCharsets.UTF_8));
    return "holdfast snapshot 1 " + Long.toHexString(crc.getValue()) + "\n";
  }

  /** Writes a snapshot; it is the newest one, on disk, when this returns. */
  Found write(long index, long term, GroupMember.Snapshot snapshot) throws IOException {
    Path unfinished = dir.resolve(UNFINISHED);
    DurableFiles.deleteTree(disk, unfinished);
    disk.createDirectory(unfinished);
    List<String> written = snapshot.writeTo(unfinished);
    StringBuilder names = new StringBuilder();
    for (String name : written) {
      names.append(name).append('\n');
    }
    String content = head(names.toString()) + names;
    DurableFiles.replace(disk, unfinished.resolve(LIST), content.getBytes(StandardCharsets.UTF_8));
    DurableFiles.forceTree(disk, unfinished);
    Path finished = dir.resolve(index + "-" + term);
    DurableFiles.deleteTree(disk, finished);
    disk.move(unfinished, finished);
    disk.forceDirectory(dir);
    Found made = new Found(index, term, finished);
    keepOnly(made);
    return made;
  }

  private void keepOnly(Found kept) throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(dir)) {
      for (Path entry : entries) {
        if (!entry.equals(kept.dir())) {
          DurableFiles.deleteTree(disk, entry);
        }
      }
    }
  }
}
