package io.holdfast.broker.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What IDENTIFY settles. */
class ClientSettingsTest {
  /** A client without an output buffer, which IDENTIFY makes 1 and 0 of -1, wants no company. */
  @ParameterizedTest
  @CsvSource({
    "16384, 250, 250",
    "2, 1, 1",
    "1, 250, 0",
    "0, 250, 0",
    "-1, 250, 0",
    "16384, 0, 0",
    "16384, -1, 0"
  })
  void shouldLetMessagesWaitAsLongAsOutputBufferDoes(
      long bufferSize, long bufferTimeoutMs, long expectedMs) {
    ClientSettings settings =
        new ClientSettings("c", "h", "", "", "", 30_000, bufferSize, bufferTimeoutMs, 0, 60_000);
    assertEquals(TimeUnit.MILLISECONDS.toNanos(expectedMs), settings.maxHoldNs());
  }

  @Test
  void shouldTellWhatLongNamesTake() {
    String name = "n".repeat(100);
    ClientSettings few = new ClientSettings(name, "h", "", "", "", 0, 0, 0, 0, 0);
    assertEquals(0, few.longNamesBytes());
    ClientSettings many = new ClientSettings(name, name, name, name, name, 0, 0, 0, 0, 0);
    assertEquals(2 * (500 - 128), many.longNamesBytes());
  }
}
