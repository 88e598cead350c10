package io.holdfast.storage.topic;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.zip.CRC32C;

/** The checksum that a file of JSON has of itself. Stateless. */
final class JsonChecksum {
  /** Its field, which is not part of what it sums up. */
  static final String FIELD = "crc32c";

  private static final ObjectMapper COMPACT_JSON = new ObjectMapper();

  private JsonChecksum() {}

  /** Of the compact form, so that white space does not matter; hexadecimal. */
  static String of(ObjectNode tree) throws IOException {
    CRC32C crc = new CRC32C();
    crc.update(COMPACT_JSON.writeValueAsBytes(tree));
    return Long.toHexString(crc.getValue());
  }
}
