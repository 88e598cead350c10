package io.holdfast.tools.cli;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream err = new PrintStream(bytes, true, StandardCharsets.UTF_8);

  @Test
  void shouldShowBytesRateAndTimeLeft() {
    Progress progress = new Progress(err, "copy", true, 0);
    progress.total(20_000_000);
    long[] done = {5_000_000};
    await()
        .until(
            () -> {
              progress.show(done[0] += 100_000, 1234);
              return bytes.toString(StandardCharsets.UTF_8).contains("/20 MB (0:00:00 / 0:0");
            });
    progress.end();
    String shown = bytes.toString(StandardCharsets.UTF_8);
    assertTrue(shown.startsWith("\rcopy  25%"), shown);
    assertTrue(shown.contains(" MB/s 1,234 messages"), shown);
    assertTrue(shown.endsWith("\r\033[K"), shown);
  }

  @Test
  void shouldShowNothingOfWhatIsShortOrNotSeen() {
    Progress soon = new Progress(err, "copy", true, TimeUnit.MINUTES.toNanos(1));
    Progress unseen = new Progress(err, "copy", false, 0);
    for (Progress progress : new Progress[] {soon, unseen}) {
      progress.total(20);
      progress.show(10, 1);
      progress.end();
    }
    assertEquals("", bytes.toString(StandardCharsets.UTF_8));
  }
}
