package io.holdfast.broker.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class JsonTextTest {
  @Test
  void shouldEscapeAsGoDoes() {
    String text = "<a href=\"x\">&\u0001\u001f\n\t\\/\u2028\u2029ü\ud83d\ude00";
    assertEquals(
        "\"\\u003ca href=\\\"x\\\"\\u003e\\u0026\\u0001\\u001f\\n\\t\\\\/\\u2028\\u2029ü\ud83d\ude00\"",
        new String(JsonText.write(text), UTF_8));
  }

  @Test
  void shouldWriteNumbersWithoutNeedlessZeros() {
    assertEquals(
        "[1,0.99,0.0001,100]",
        new String(JsonText.write(List.of(1.0, 0.99, 0.0001, 100.0)), UTF_8));
  }
}
