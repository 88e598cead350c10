package io.holdfast.tools.pub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.cli.ToolException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MessageInputTest {
  private static List<String> read(InputFormat format, byte[] bytes) throws IOException {
    MessageInput input = new MessageInput(() -> new ByteArrayInputStream(bytes), format, 0);
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
            "{\"body\":\"a\"}\n\n"
                + "{\"body\":\"b\",\"defer_ms\":50,\"id\":1}\n"
                + "{\"body_base64\":\"aGk=\"}"));
    assertFails("line 2 is not JSON", InputFormat.JSON, "{\"body\":\"a\"}\nnonsense\n");
    assertFails("\"body\" or", InputFormat.JSON, "{\"body\":1}\n");
    assertFails("line 1", InputFormat.JSON, "{\"body_base64\":\"%%\"}\n");
    assertFails("defer_ms", InputFormat.JSON, "{\"body\":\"a\",\"defer_ms\":-1}\n");
    assertFails("defer_ms", InputFormat.JSON, "{\"body\":\"a\",\"defer_ms\":99999999999999999999}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "line 2 has more after|{\"body\":\"b\"} {\"body\":\"c\"}",
        "line 2 is not JSON|{\"body\":\"b\"},",
        "line 2 is not JSON|{\"body\":\"b\"}]",
        "line 2 is not JSON|{\"body\":\"b\"}x",
        "line 2 has both|{\"body\":\"b\",\"body_base64\":\"aGk=\"}",
        "line 2 has both|{\"body_base64\":\"aGk=\",\"body\":7}",
        "line 2 is not JSON: Duplicate field 'body'|{\"body\":\"b\",\"body\":\"c\"}",
        "line 2 is not JSON: Duplicate|{\"body\":\"b\",\"defer_ms\":1,\"defer_ms\":2}",
        "line 2: body_base64|{\"body_base64\":\"aGk=aGk=\"}",
        "line 2: body_base64|{\"body_base64\":\"aGk=\\nx\"}",
        "line 2: body has half|{\"body\":\"\\ud83d\"}",
        "line 2 is not a JSON object|[{\"body\":\"b\"}]",
      })
  void shouldRefuseWhatItWouldLeaveOut(String message, String line) {
    assertFails(message, InputFormat.JSON, "{\"body\":\"a\"}\n" + line + "\n{\"body\":\"d\"}\n");
  }

  @Test
  void shouldTakeAnAbsentFieldForNull() throws IOException {
    assertEquals(
        List.of("hi"),
        read(InputFormat.JSON, "{\"body\":null,\"body_base64\":\"aGk=\",\"defer_ms\":null}"));
  }
}
