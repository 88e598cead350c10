package io.holdfast.broker.wire.compress;

import io.netty.buffer.ByteBuf;
import java.util.zip.CRC32C;

/**
 * Constants of the snappy framing format, see framing_format.txt of google/snappy:
 *
 * <pre>
 * stream     = identifier chunk*
 * identifier = ff 06 00 00 "sNaPpY"
 * chunk      = type:1  length:3 (little-endian, of what follows)  masked CRC32C:4 (LE)  data
 * </pre>
 */
final class SnappyFraming {
  static final byte[] STREAM_IDENTIFIER = {(byte) 0xff, 6, 0, 0, 's', 'N', 'a', 'P', 'p', 'Y'};
  static final int COMPRESSED = 0x00;
  static final int UNCOMPRESSED = 0x01;

  /** Types from here on up to 0x7f must be refused, those above but the identifier be skipped. */
  static final int FIRST_SKIPPABLE = 0x80;

  static final int IDENTIFIER = 0xff;
  static final int HEADER_BYTES = 4;
  static final int CHECKSUM_BYTES = 4;

  /** Most uncompressed bytes in a chunk. */
  static final int MAX_BLOCK_BYTES = 65_536;

  /** Longest a compressed chunk can honestly be, checksum included: snappy's worst case. */
  static final int MAX_COMPRESSED_CHUNK_BYTES =
      CHECKSUM_BYTES + 32 + MAX_BLOCK_BYTES + MAX_BLOCK_BYTES / 6;

  private SnappyFraming() {}

  /** The masked CRC32C of the readable bytes of {@code data}, whose indices stay. */
  static int maskedChecksum(ByteBuf data) {
    CRC32C crc = new CRC32C();
    crc.update(data.nioBuffer());
    int value = (int) crc.getValue();
    return ((value >>> 15) | (value << 17)) + 0xa282ead8;
  }
}
