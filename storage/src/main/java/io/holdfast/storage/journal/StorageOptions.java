package io.holdfast.storage.journal;

import io.holdfast.storage.log.SpareFiles;
import java.time.Instant;
import java.util.function.LongSupplier;

/**
 * What the storage needs to know of the configuration.
 *
 * @param maxBytesPerFile a journal file rolls when it is larger
 * @param maxRecordBytes the largest section of a batch
 * @param synced whether OK waits for the disk ({@code durability = synced})
 * @param syncEvery messages after which written data is forced at the latest, 0 for never
 * @param wallNs the time, ns since 1970
 * @param spares keeps finished files that are used again
 */
public record StorageOptions(
    long maxBytesPerFile,
    int maxRecordBytes,
    boolean synced,
    long syncEvery,
    LongSupplier wallNs,
    SpareFiles spares) {
  private static final long MIN_BLOCK_BYTES = 1 << 20;

  /** With the machine's time, and no file is used again. */
  public StorageOptions(long maxBytesPerFile, int maxRecordBytes, boolean synced, long syncEvery) {
    this(maxBytesPerFile, maxRecordBytes, synced, syncEvery, StorageOptions::wallNowNs);
  }

  /** No file is used again. */
  public StorageOptions(
      long maxBytesPerFile,
      int maxRecordBytes,
      boolean synced,
      long syncEvery,
      LongSupplier wallNs) {
    this(maxBytesPerFile, maxRecordBytes, synced, syncEvery, wallNs, SpareFiles.none());
  }

  /** As these, with files that are used again. */
  public StorageOptions with(SpareFiles keeper) {
    return new StorageOptions(maxBytesPerFile, maxRecordBytes, synced, syncEvery, wallNs, keeper);
  }

  /** The machine's wall clock, ns since 1970. */
  public static long wallNowNs() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }

  /** Bytes to map at once: a whole journal file, and four times the largest excerpt (Chronicle). */
  long journalBlockBytes() {
    long excerptBytes = maxRecordBytes + 64L * 1024;
    return Math.max(MIN_BLOCK_BYTES, Math.max(maxBytesPerFile + excerptBytes, 4 * excerptBytes));
  }
}
