package io.holdfast.tools.pub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.ToolException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MessageInputTest {
  private static List<String> read(InputFormat format, byte[] bytes) throws IOException {
    MessageInput input = new MessageInput(new ByteArrayInputStream(bytes), format, 0);
    List<String> bodies = new ArrayList<>();
    for (InputMessage m = input.next(); m != null; m = input.next()) {
      bodies.add(
          new String(m.body(), StandardCharsets.UTF_8)
              + (m.deferMs() > 0 ? "+" + m.deferMs() : ""));
    }
    return bodies;
  }

  private static List<String> read(InputFormat format, String text) throws IOException {
    return read(format, text.getBytes(StandardCharsets.UTF_8));
  }

  private static void assertFails(String message, InputFormat format, String text) {
    ToolException e = assertThrows(ToolException.class, () -> read(format, text));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void shouldCutLines() throws IOException {
    assertEquals(List.of("a", "b\r", "c"), read(InputFormat.LINE, "a\n\nb\r\nc"));
    String large = "x".repeat(200_000);
    assertEquals(
        List.of(large, large, "y"), read(InputFormat.LINE, large + "\n" + large + "\ny\n"));
    assertEquals(List.of(), read(InputFormat.LINE, ""));
  }

  @Test
  void shouldCutByLength() throws IOException {
    assertEquals(List.of("abc", "d\n"), read(InputFormat.LENGTH, "\0\0\0\3abc\0\0\0\0\0\0\0\2d\n"));
    assertFails(
        "ends within the message that starts at byte 5", InputFormat.LENGTH, "\0\0\0\1a\0\0");
    assertFails("ends within", InputFormat.LENGTH, "\0\0\0\5ab");
    assertFails("ends within", InputFormat.LENGTH, "\0\0\0\5");
    assertFails("not plausible", InputFormat.LENGTH, "hello world");
  }

  @Test
  void shouldReadJsonLines() throws IOException {
    assertEquals(
        List.of("a", "b+50", "hi"),
        read(
            InputFormat.JSON,
            "{\"body\":\"a\"}\n\n{\"body\":\"b\",\"defer_ms\":50,\"id\":1}\n{\"body_base64\":\"aGk=\"}"));
    assertFails("line 2 is not JSON", InputFormat.JSON, "{\"body\":\"a\"}\nnonsense\n");
    assertFails("\"body\" or", InputFormat.JSON, "{\"body\":1}\n");
    assertFails("line 1", InputFormat.JSON, "{\"body_base64\":\"%%\"}\n");
    assertFails("defer_ms", InputFormat.JSON, "{\"body\":\"a\",\"defer_ms\":-1}\n");
  }
}
