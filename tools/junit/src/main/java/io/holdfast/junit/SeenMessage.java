package io.holdfast.junit;

import java.nio.charset.StandardCharsets;

/**
 * A message that a test looked at; its channel still has it.
 *
 * @param id 16 hex digits
 * @param timestampNs when it was published, ns since 1970
 * @param attempts how often it was delivered
 * @param body its bytes
 */
public record SeenMessage(String id, long timestampNs, int attempts, byte[] body) {
  /** The body as UTF-8. */
  public String text() {
    return new String(body, StandardCharsets.UTF_8);
  }
}
