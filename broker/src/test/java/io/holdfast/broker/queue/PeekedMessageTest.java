package io.holdfast.broker.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PeekedMessageTest {
  private static PeekedMessage of(byte[] body, int maxBytes) {
    return PeekedMessage.of(1, 2, -1, ByteBuffer.wrap(body), maxBytes, 0);
  }

  @ParameterizedTest
  @CsvSource({
    "abc, 3, abc",
    "abc, 2, ab",
    "abc, 0, ''",
    "aé, 3, aé",
    "aé, 2, a",
    "€€, 5, €",
    "€€, 3, €",
    "€€, 2, ''",
    "😀x, 4, 😀",
    "😀x, 3, ''"
  })
  void aTextIsCutWhereACharacterEnds(String body, int maxBytes, String expected) {
    PeekedMessage message = of(body.getBytes(StandardCharsets.UTF_8), maxBytes);
    assertEquals(expected, new String(message.body(), StandardCharsets.UTF_8));
    assertEquals(body.getBytes(StandardCharsets.UTF_8).length, message.size());
  }

  @Test
  void whatIsNoTextBehindTheCutIsNoText() {
    byte[] body = new byte[5000];
    assertEquals(true, of(body, 10).isText());
    body[4999] = (byte) 0xff;
    PeekedMessage message = of(body, 10);
    assertFalse(message.isText());
    assertEquals(10, message.body().length);
    assertFalse(
        of(new byte[] {'a', (byte) 0xc3}, 10).isText(), "a character cut in the body itself");
  }
}
