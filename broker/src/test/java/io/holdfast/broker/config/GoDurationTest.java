package io.holdfast.broker.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.OptionalLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The expected values are what Go 1.19's time package gives. */
class GoDurationTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "+0, 0",
    "-0, 0",
    "5s, 5000000000",
    "-5s, -5000000000",
    "+5s, 5000000000",
    "5.s, 5000000000",
    ".5s, 500000000",
    "-.5s, -500000000",
    "5.6s, 5600000000",
    "1.0040s, 1004000000",
    "10ns, 10",
    "11us, 11000",
    "12\u00b5s, 12000",
    "12\u03bcs, 12000",
    "13ms, 13000000",
    "15m, 900000000000",
    "16h, 57600000000000",
    "3h30m, 12600000000000",
    "10.5s4m, 250500000000",
    "-2m3.4s, -123400000000",
    "1h2m3s4ms5us6ns, 3723004005006",
    "39h9m14.425s, 140954425000000",
    "9223372036854775807ns, 9223372036854775807",
    "9223372036854775.807us, 9223372036854775807",
    "-9223372036854775808ns, -9223372036854775808",
    "0.830103483285477580700h, 2988372539827"
  })
  void shouldParseAsGoDoes(String text, long expectedNs) {
    assertEquals(OptionalLong.of(expectedNs), GoDuration.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "3",
        "-",
        "s",
        ".",
        "-.",
        ".s",
        "+.s",
        "5.",
        "1d",
        "3000000h",
        "1e3s",
        "1 s",
        " 1s",
        "1S",
        "1h1",
        "--1s",
        "9223372036854775808ns",
        "9223372036854775.808us",
        "9223372036854ms775us808ns"
      })
  void shouldRefuseWhatGoRefuses(String text) {
    assertEquals(OptionalLong.empty(), GoDuration.parse(text));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0s",
    "1, 1ns",
    "-1, -1ns",
    "999, 999ns",
    "1000, 1\u00b5s",
    "1100, 1.1\u00b5s",
    "2200000, 2.2ms",
    "999999999, 999.999999ms",
    "1000000000, 1s",
    "-1500000000, -1.5s",
    "59999999999, 59.999999999s",
    "60000000000, 1m0s",
    "245001000000, 4m5.001s",
    "18367001000000, 5h6m7.001s",
    "3600000000000, 1h0m0s",
    "360000000000000, 100h0m0s",
    "9223372036854775807, 2562047h47m16.854775807s",
    "-9223372036854775808, -2562047h47m16.854775808s"
  })
  void shouldFormatAsGoDoes(long durationNs, String expected) {
    assertEquals(expected, GoDuration.format(durationNs));
  }

  @Property
  void shouldReadBackWhatItFormats(@ForAll long durationNs) {
    assertEquals(OptionalLong.of(durationNs), GoDuration.parse(GoDuration.format(durationNs)));
  }

  @ParameterizedTest
  @ValueSource(ints = {1_000, 1_000_000})
  void shouldRefuseEndlessDigitsQuickly(int length) {
    assertTrue(GoDuration.parse("1".repeat(length) + "s").isEmpty());
  }
}
