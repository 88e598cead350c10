package io.holdfast.broker.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class LastLineTest {
  private final LastLine lines = new LastLine();

  /** In the middle of other bytes, as it comes from a socket. */
  private String[] words(String line) {
    ByteBuf in = Unpooled.copiedBuffer("xx" + line + "\nyy", StandardCharsets.ISO_8859_1);
    try {
      return lines.words(in, 2, line.length());
    } finally {
      in.release();
    }
  }

  @Test
  void shouldCutAtEverySpace() {
    assertArrayEquals(new String[] {"PUB", "orders"}, words("PUB orders"));
    assertArrayEquals(new String[] {"PUB", "", "a", ""}, words("PUB  a "));
    assertArrayEquals(new String[] {""}, words(""));
    assertArrayEquals(new String[] {"PUB", "\u00fc\u00ff"}, words("PUB \u00fc\u00ff"));
  }

  @Test
  void shouldNotReadTheSameLineTwice() {
    String[] first = words("PUB orders");
    assertSame(first, words("PUB orders"));
    assertSame(words(""), words(""));
  }

  @Test
  void shouldTellLinesThatDifferInOneByteOrLength() {
    assertArrayEquals(new String[] {"PUB", "orders1"}, words("PUB orders1"));
    assertArrayEquals(new String[] {"PUB", "orders2"}, words("PUB orders2"));
    assertArrayEquals(new String[] {"PUB", "orders"}, words("PUB orders"));
    assertArrayEquals(new String[] {"SUB", "orders"}, words("SUB orders"));
    assertArrayEquals(new String[] {"SUB", "\u00ef"}, words("SUB \u00ef"));
    assertArrayEquals(new String[] {"SUB", "o"}, words("SUB o"));
  }

  @Test
  void shouldReadLongLinesAndGoOnWithTheOneBefore() {
    String[] first = words("PUB orders");
    String name = "x".repeat(1000);
    assertArrayEquals(new String[] {"PUB", name}, words("PUB " + name));
    assertArrayEquals(new String[] {"PUB", name + "y"}, words("PUB " + name + "y"));
    assertSame(first, words("PUB orders"));
  }
}
