package io.holdfast.broker.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HexIdTest {
  private static final int BEFORE = 3;

  private static ByteBuf text(String id) {
    return Unpooled.copiedBuffer("#".repeat(BEFORE) + id, StandardCharsets.US_ASCII);
  }

  @ParameterizedTest
  @ValueSource(
      longs = {0, 1, 0x0123_4567_89ab_cdefL, 0xfedc_ba98_7654_3210L, Long.MAX_VALUE, 0xffff_ffffL})
  void shouldReadWhatItWrites(long id) {
    ByteBuf written = Unpooled.buffer();
    HexId.write(id, written);
    String said = written.toString(StandardCharsets.US_ASCII);
    assertEquals("%016x".formatted(id), said);
    assertEquals(id, HexId.parse(text(said), BEFORE));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 6, 7, 8, 9, 14, 15})
  void shouldTakeNothingElseForADigit(int place) {
    for (int b = 0; b < 256; b++) {
      ByteBuf id = text("0".repeat(HexId.BYTES));
      id.setByte(BEFORE + place, b);
      int digit = "0123456789abcdef".indexOf(b);
      long expected = digit < 0 ? -1 : (long) digit << (4 * (HexId.BYTES - 1 - place));
      assertEquals(expected, HexId.parse(id, BEFORE), "byte " + b);
    }
  }
}
