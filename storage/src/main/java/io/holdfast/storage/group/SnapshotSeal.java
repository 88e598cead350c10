package io.holdfast.storage.group;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.raft.DamagedException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/**
 * Finds a group's newest snapshot, and checks in it what the engine has written: index, members and
 * names of files, in a file without a checksum of its own, which is therefore kept beside it.
 * Stateless.
 */
public final class SnapshotSeal {
  /** What is sealed. */
  public static final String SEALED = "__raft_snapshot_meta";

  private static final String FILE = "seal";
  private static final String PREFIX = "snapshot_";

  private SnapshotSeal() {}

  /**
   * The newest snapshot's directory; null when there is none.
   *
   * @param snapshots of a group
   */
  public static Path newest(Path snapshots) throws IOException {
    Path newest = null;
    long index = -1;
    try (DirectoryStream<Path> all = Files.newDirectoryStream(snapshots)) {
      for (Path each : all) {
        long at = index(each);
        newest = at > index ? each : newest;
        index = Math.max(index, at);
      }
    } catch (NoSuchFileException none) {
      return null;
    }
    return newest;
  }

  /**
   * Up to which entry a snapshot goes; negative when it is none.
   *
   * @param dir of the snapshot
   */
  public static long index(Path dir) {
    String name = dir.getFileName().toString();
    return name.matches(PREFIX + "\\d{1,18}")
        ? Long.parseLong(name.substring(PREFIX.length()))
        : -1;
  }

  /**
   * Seals what is there now; on disk when this returns.
   *
   * @param dir of the snapshot
   */
  public static void write(Disk disk, Path dir) throws IOException {
    String seal = checksum(disk.readAll(dir.resolve(SEALED))) + "\n";
    DurableFiles.replace(disk, dir.resolve(FILE), seal.getBytes(StandardCharsets.US_ASCII));
  }

  /**
   * Whether it is as it was sealed.
   *
   * @param dir of the snapshot
   * @throws DamagedException when it is not
   * @throws NoSuchFileException when it, or the seal, is gone
   */
  public static void check(Disk disk, Path dir) throws IOException {
    Path sealed = dir.resolve(SEALED);
    String found = checksum(disk.readAll(sealed));
    String seal = new String(disk.readAll(dir.resolve(FILE)), StandardCharsets.US_ASCII).strip();
    if (seal.matches("[0-9a-f]{8}") && !seal.equals(found)) {
      throw new DamagedException("snapshot", sealed, 0, "checksum is " + found + ", not " + seal);
    }
    if (!seal.equals(found)) {
      throw new DamagedException("snapshot", dir.resolve(FILE), 0, "this is no checksum");
    }
  }

  private static String checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }
}
