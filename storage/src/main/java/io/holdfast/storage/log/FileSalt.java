package io.holdfast.storage.log;

import io.holdfast.storage.record.RecordCodec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.SecureRandom;
import java.util.zip.CRC32C;

/**
 * What the checksums of a file's records are mixed with, so that nothing that a file held in an
 * earlier life is taken for a record of the present one: a number that no publisher can know, new
 * each time that the file is used again, 0 in a file's first life.
 *
 * <p>It is on disk before the file has the name of a log file, so there is no moment, power cuts
 * included, at which such a file has no salt. It stands in the end of Chronicle's first index
 * array, which only a file of ten million excerpts would come to, twice, in two blocks:
 *
 * <pre>
 * u64  "HFSALT01"
 * u32  salt
 * u32  CRC32C of the twelve bytes before
 * </pre>
 *
 * <p>No body can be where a salt is looked for. Where both are damaged no record of the file has a
 * right checksum. Stateless.
 */
final class FileSalt {
  /** Of a file in its first life. */
  static final int NONE = 0;

  /**
   * So much of a file is cleared before it is used again: where Chronicle puts its header and two
   * index arrays, and the first excerpt's header behind them. The rest is cleared ahead of the
   * records.
   */
  static final int HEAD_BYTES = 20 << 10;

  /** The middle of the second page, and the part of the third that is the array's. */
  static final int[] PLACES = {6144, 8256};

  static final int BYTES = 16;
  private static final long MAGIC = 0x484653414c543031L;
  private static final int SALT_OFFSET = 8;
  private static final int CHECK_OFFSET = 12;
  private static final SecureRandom RANDOM = new SecureRandom();

  private FileSalt() {}

  /** Another one, which nobody knows. */
  static int next() {
    int salt = NONE;
    while (salt == NONE) {
      salt = RANDOM.nextInt();
    }
    return salt;
  }

  /** The head of a file that is to begin anew with a salt. */
  static ByteBuffer head(int salt) {
    ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
    for (int place : PLACES) {
      head.putLong(place, MAGIC).putInt(place + SALT_OFFSET, salt);
      head.putInt(place + CHECK_OFFSET, check(head, place));
    }
    return head;
  }

  /** Writes {@link #head} over the begin of a file. */
  static void begin(FileChannel file, int salt) throws IOException {
    ByteBuffer head = head(salt);
    while (head.hasRemaining()) {
      file.write(head, head.position());
    }
  }

  /** The salt of a file; {@link #NONE} also where it is damaged. */
  static int read(ReadFile file) throws IOException {
    int from = PLACES[0];
    ByteBuffer places = ByteBuffer.allocate(PLACES[PLACES.length - 1] + BYTES - from);
    file.read(places, from);
    for (int place : PLACES) {
      int at = place - from;
      boolean isThere =
          at + BYTES <= places.position()
              && places.getLong(at) == MAGIC
              && places.getInt(at + CHECK_OFFSET) == check(places, at);
      if (isThere) {
        return places.getInt(at + SALT_OFFSET);
      }
    }
    return NONE;
  }

  private static int check(ByteBuffer in, int at) {
    CRC32C crc = new CRC32C();
    crc.update(in.slice(at, CHECK_OFFSET));
    return (int) crc.getValue();
  }

  /** Mixes a salt into the checksum of a record that is about to be written. */
  static void mixInto(ByteBuffer head, int salt) {
    int at = head.position() + RecordCodec.CRC_OFFSET;
    head.putInt(at, head.getInt(at) ^ salt);
  }
}
