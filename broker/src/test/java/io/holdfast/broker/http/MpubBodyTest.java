package io.holdfast.broker.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MpubBodyTest {
  private static final long MAX_MSG = 4;
  private static final long MAX_BODY = 20;

  private static List<String> messages(MpubBody body) {
    List<String> messages = new ArrayList<>();
    ByteBuf section = body.section();
    for (int i = 0; i < body.count(); i++) {
      messages.add(section.readCharSequence(section.readInt(), ISO_8859_1).toString());
    }
    assertEquals(0, section.readableBytes());
    section.release();
    return messages;
  }

  private static MpubBody text(String text) throws HttpError {
    return MpubBody.ofText(
        Unpooled.copiedBuffer(text, ISO_8859_1),
        UnpooledByteBufAllocator.DEFAULT,
        MAX_MSG,
        MAX_BODY);
  }

  private static MpubBody binary(String hex, boolean truncated) throws HttpError {
    ByteBuf body = Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex.replace(" ", "")));
    return MpubBody.ofBinary(body, truncated, MAX_MSG, MAX_BODY);
  }

  @Test
  void shouldSplitTextAtLineFeeds() throws HttpError {
    assertEquals(List.of("a", "bc"), messages(text("a\nbc")));
    assertEquals(List.of("a", "bc"), messages(text("a\nbc\n")));
    assertEquals(List.of("a\r", "\r"), messages(text("\n\na\r\n\r\n\n")));
    assertEquals(List.of(), messages(text("")));
    assertEquals(List.of(), messages(text("\n\n")));
    assertEquals(List.of("1234"), messages(text("1234")));
  }

  @Test
  void shouldLeaveTheBodyAsItIs() throws HttpError {
    ByteBuf body = Unpooled.copiedBuffer("..a\nb", ISO_8859_1).skipBytes(2);
    MpubBody split = MpubBody.ofText(body, UnpooledByteBufAllocator.DEFAULT, MAX_MSG, 3);
    assertEquals(List.of("a", "b"), messages(split));
    assertEquals(2, body.readerIndex());
  }

  @ParameterizedTest
  @CsvSource({
    "12345, MSG_TOO_BIG",
    "1|12345|1, MSG_TOO_BIG",
    "12345|7890|2345|7890|X, MSG_TOO_BIG", // the long message comes first
    "1234|6789|1234|6789|X, BODY_TOO_BIG",
    "1234|6789|1234|678901, BODY_TOO_BIG" // the line that is too long ends beyond the body's limit
  })
  void shouldRefuseText(String text, String code) {
    HttpError error = assertThrows(HttpError.class, () -> text(text.replace('|', '\n')));
    assertEquals(413, error.status());
    assertEquals(code, error.getMessage());
  }

  @Test
  void shouldTakeTextOfExactlyTheLimit() throws HttpError {
    assertEquals(4, messages(text("1234\n6789\n1234\n6789\n")).size());
  }

  @Test
  void shouldTakeBinary() throws HttpError {
    assertEquals(
        List.of("a", "bcd"), messages(binary("00000002 00000001 61 00000003 626364", false)));
    assertEquals(List.of("a"), messages(binary("00000001 00000001 61 ffffffff ff", false)));
    assertEquals(List.of("a"), messages(binary("00000001 00000001 61 ffffffff ff", true)));
  }

  @ParameterizedTest
  @CsvSource({
    "'', BAD_BODY",
    "000000, BAD_BODY",
    "00000000, BAD_BODY",
    "ffffffff, BAD_BODY",
    "00000004 00000001 61, BAD_BODY", // (20 - 4) / 5 is 3
    "00000001, BAD_MESSAGE",
    "00000001 000000, BAD_MESSAGE",
    "00000001 00000000, BAD_MESSAGE",
    "00000001 80000000, BAD_MESSAGE",
    "00000001 00000005 6162636465, BAD_MESSAGE",
    "00000001 00000002 61, BAD_MESSAGE",
    "00000002 00000001 61, BAD_MESSAGE"
  })
  void shouldRefuseBinary(String hex, String code) {
    HttpError error = assertThrows(HttpError.class, () -> binary(hex, false));
    assertEquals(413, error.status());
    assertEquals(code, error.getMessage());
  }

  @Test
  void shouldBlameTheSizeWhenOnlyTheTruncationCutsAMessage() {
    HttpError body = assertThrows(HttpError.class, () -> binary("00000001 00000002 61", true));
    assertEquals("BODY_TOO_BIG", body.getMessage());
    HttpError length = assertThrows(HttpError.class, () -> binary("00000001 000000", true));
    assertEquals("BODY_TOO_BIG", length.getMessage());
  }
}
