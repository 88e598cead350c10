package io.holdfast.broker.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.queue.Position;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessagePositionTest {
  private static Position parse(String text) throws HttpError {
    return MessagePosition.parse(text, Position.START, "INVALID_ARG_FROM");
  }

  @Test
  void everyWayToNameAPlace() throws HttpError {
    assertEquals(Position.START, parse(null));
    assertEquals(Position.START, parse("start"));
    assertEquals(Position.END, parse("end"));
    assertEquals(Position.id(0x18a4b7ccaf669000L), parse("18a4b7ccaf669000"));
    assertEquals(Position.id(-1), parse("ffffffffffffffff"));
    assertEquals(Position.time(1_500_000_000L), parse("1970-01-01T00:00:01.5Z"));
    assertEquals(Position.time(0), parse("1970-01-01T02:00:00+02:00"));
    assertTrue(parse("9999-12-31T00:00:00Z").value() > parse("2200-01-01T00:00:00Z").value());
    long nowNs = System.currentTimeMillis() * 1_000_000;
    long hourNs = 3_600_000_000_000L;
    assertTrue(Math.abs(parse("-1h").value() - (nowNs - hourNs)) < 60_000_000_000L);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "START",
        "18A4B7CCAF669000",
        "18a4b7ccaf66900",
        "1h",
        "-",
        "-1",
        "--1h",
        "2026-11-22",
        "2026-11-22T20:06:22",
        "2026-13-22T20:06:22Z",
        "yesterday"
      })
  void anythingElseIsRefusedWithTheCode(String text) {
    HttpError error = assertThrows(HttpError.class, () -> parse(text));
    assertEquals("400 INVALID_ARG_FROM", error.status() + " " + error.getMessage());
  }
}
