package io.holdfast.broker.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.queue.Names;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link Names} and {@link Decimal}. */
class NamesTest {
  /** Bytes, and what Go 1.19's fmt.Sprintf("%q") makes of them; both as hex. */
  @ParameterizedTest
  @CsvSource({
    "'', 2222",
    "706c61696e, 22706c61696e22",
    "612062, 2261206222",
    "71225c, 22715c225c5c22",
    "07080c0a0d090b, 225c615c625c665c6e5c725c745c7622",
    "001f7f, 225c7830305c7831665c78376622",
    "80ff, 225c7838305c78666622",
    "c3a9, 22c3a922",
    "e697a5e69cac, 22e697a5e69cac22",
    "c2a0, 225c753030613022",
    "e2808b, 225c753230306222",
    "e280a8, 225c753230323822",
    "f09f9880, 22f09f988022",
    "e282, 225c7865325c78383222",
    "c0af, 225c7863305c78616622",
    "eda080, 225c7865645c7861305c78383022",
    "efbbbf, 225c756665666622",
    "efbfbd, 22efbfbd22",
    "f3a08081, 225c55303030653030303122",
    "61ff62, 22615c7866666222",
    "c2ad, 225c753030616422",
    "cdb8, 225c753033373822"
  })
  void shouldQuoteAsGoDoes(String bytes, String quoted) {
    HexFormat hex = HexFormat.of();
    String name = new String(hex.parseHex(bytes), StandardCharsets.ISO_8859_1);
    assertEquals(quoted, hex.formatHex(Names.quote(name).getBytes(StandardCharsets.ISO_8859_1)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", ".", "..", "A-z_0.9", "a#ephemeral", "-"})
  void shouldAcceptValidNames(String name) {
    assertTrue(Names.isValid(name));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "#ephemeral",
        "a b",
        "a\n",
        "a#",
        "a#ephemera",
        "a#ephemeral#ephemeral",
        "\u00e9",
        "a/b"
      })
  void shouldRefuseInvalidNames(String name) {
    assertFalse(Names.isValid(name));
  }

  @Test
  void shouldCountTheSuffixTowardsTheLength() {
    assertTrue(Names.isValid("x".repeat(64)));
    assertFalse(Names.isValid("x".repeat(65)));
    assertTrue(Names.isValid("x".repeat(54) + "#ephemeral"));
    assertFalse(Names.isValid("x".repeat(55) + "#ephemeral"));
  }

  @Test
  void shouldReadDecimalsAsNsqdDoes() {
    assertEquals(0, Decimal.parse(""));
    assertEquals(42, Decimal.parse("0042"));
    assertEquals(-1, Decimal.parse("18446744073709551615"));
    assertEquals(5, Decimal.parse("18446744073709551621"));
    for (String bad : new String[] {"-1", "+1", "1.0", " 1", "0x1", "\u0661"}) {
      assertFalse(Decimal.isValid(bad), bad);
    }
    assertEquals(1000, Decimal.clampedMs("1000", 3_600_000));
    assertEquals(3_600_000, Decimal.clampedMs("99999999", 3_600_000));
    assertEquals(0, Decimal.clampedMs("9300000000000", 3_600_000), "negative as ns");
    assertEquals(-1, Decimal.ms("9300000000000"));
    assertEquals(7, Decimal.ms("7"));
  }

  @ParameterizedTest
  @CsvSource({
    "bob, bob",
    "'', ''",
    "sixteen-letters!, sixteen-letters!",
    "seventeen-letters, seventeen-letter...",
    "one two, '\"one two\"'",
    "é\\, '\"é\\\\\"'",
    "fifteen-letters😀, fifteen-letters...",
  })
  void shouldShowWhatClientsSendAsOneShortWord(String text, String shown) {
    assertEquals(shown, Names.shown(text, 16));
  }
}
