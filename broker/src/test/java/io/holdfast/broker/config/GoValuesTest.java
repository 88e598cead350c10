package io.holdfast.broker.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GoValuesTest {
  @ParameterizedTest
  @ValueSource(strings = {"1", "t", "T", "true", "TRUE", "True"})
  void shouldReadTrue(String text) {
    assertEquals(Optional.of(true), GoValues.parseBool(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "f", "F", "false", "FALSE", "False"})
  void shouldReadFalse(String text) {
    assertEquals(Optional.of(false), GoValues.parseBool(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "yes", "tRUE", "2", " true", "on"})
  void shouldRefuseOtherBooleans(String text) {
    assertEquals(Optional.empty(), GoValues.parseBool(text));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "7, 7",
    "-7, -7",
    "+7, 7",
    "0x1F, 31",
    "0X1f, 31",
    "-0x10, -16",
    "0b101, 5",
    "0o17, 15",
    "017, 15",
    "00, 0",
    "1_000, 1000",
    "0x_ff, 255",
    "9223372036854775807, 9223372036854775807",
    "-9223372036854775808, -9223372036854775808"
  })
  void shouldReadFlagIntegersInAnyBase(String text, long expected) {
    assertEquals(OptionalLong.of(expected), GoValues.parseFlagInt(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-",
        "x",
        "1.0",
        "1e3",
        "08",
        "0x",
        "1__0",
        "_1",
        "1_",
        " 1",
        "9223372036854775808",
        "١"
      })
  void shouldRefuseOtherIntegers(String text) {
    assertEquals(OptionalLong.empty(), GoValues.parseFlagInt(text));
  }

  @ParameterizedTest
  @CsvSource({
    "64KB, 64000",
    "64KiB, 65536",
    "64kib, 65536",
    "1 MB, 1000000",
    "2GiB, 2147483648",
    "5B, 5",
    "1TiB, 1099511627776"
  })
  void shouldReadByteSizes(String text, long expected) {
    assertEquals(OptionalLong.of(expected), GoValues.parseByteSize(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "64", "KB", "64K", "-1KB", "1.5MB", "9223372036854775807KB", "1PB"})
  void shouldRefuseOtherByteSizes(String text) {
    assertEquals(OptionalLong.empty(), GoValues.parseByteSize(text));
  }

  @ParameterizedTest
  @CsvSource({"0.99, 0.99", "1, 1", "1., 1", ".5, 0.5", "-1e-3, -0.001"})
  void shouldReadFractions(String text, double expected) {
    assertEquals(OptionalDouble.of(expected), GoValues.parseFraction(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "NaN", "1d", "0x1p3", ".", "1,0", "Infinity"})
  void shouldRefuseOtherFractions(String text) {
    assertEquals(OptionalDouble.empty(), GoValues.parseFraction(text));
  }

  @Test
  void shouldKeepMessagesOnOneLine() {
    assertEquals("\"a\\nb\\\"\\u0007\\u2028\"", GoValues.quote("a\nb\"\u0007\u2028"));
    assertEquals("a\\r\\nb\"\t", GoValues.oneLine("a\r\nb\"\t"));
    assertEquals("\"" + "x".repeat(120) + "\"...", GoValues.quote("x".repeat(5000)));
  }
}
