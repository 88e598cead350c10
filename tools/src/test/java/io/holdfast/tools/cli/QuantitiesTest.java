package io.holdfast.tools.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

class QuantitiesTest {
  @Test
  void shouldReadCountsSizesAndTimes() {
    assertEquals(2_000_000, new Quantities.Count().convert("2m"));
    assertEquals(1_500, new Quantities.Count().convert("1.5k"));
    assertEquals(65_536, new Quantities.Bytes().convert("64k"));
    assertEquals(1 << 20, new Quantities.Bytes().convert("1MiB"));
    assertEquals(Duration.ofMillis(250), new Quantities.Time().convert("250ms"));
    assertEquals(Duration.ofSeconds(90), new Quantities.Time().convert("1.5m"));
    assertEquals(Duration.ZERO, new Quantities.Time().convert("0"));
  }

  @Test
  void shouldRefuseWhatIsNone() {
    for (String bad : new String[] {"", "k", "-1", "1x", "0.5", "99999999999999999999g"}) {
      assertThrows(TypeConversionException.class, () -> new Quantities.Count().convert(bad), bad);
    }
    for (String bad : new String[] {"", "5", "5 days", "-1s", "s"}) {
      assertThrows(TypeConversionException.class, () -> new Quantities.Time().convert(bad), bad);
    }
  }

  @Test
  void shouldPrintInTheUnitThatReadsBest() {
    assertEquals("1,234,567", Quantities.grouped(1_234_567));
    assertEquals("999 B", Quantities.bytes(999));
    assertEquals("12.3 MB", Quantities.bytes(12_345_678));
    assertEquals("312 us", Quantities.latency(312_000));
    assertEquals("4.51 ms", Quantities.latency(4_510_000));
    assertEquals("2.00 s", Quantities.latency(2e9));
  }
}
