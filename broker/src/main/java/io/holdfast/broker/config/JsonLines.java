package io.holdfast.broker.config;

import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import java.nio.charset.StandardCharsets;

/**
 * Logback's JSON lines, with what a terminal would obey or not show written as escapes: the library
 * escapes what JSON asks for. Called by whichever thread logs.
 */
final class JsonLines extends JsonEncoder {
  JsonLines() {
    // The message as such, its arguments and the context say nothing that is not there already.
    setWithMessage(false);
    setWithArguments(false);
    setWithFormattedMessage(true);
    setWithContext(false);
    setWithMDC(false);
    setWithSequenceNumber(false);
  }

  @Override
  public byte[] encode(ILoggingEvent event) {
    byte[] line = super.encode(event);
    int end = line.length;
    while (end > 0 && (line[end - 1] == '\n' || line[end - 1] == '\r')) {
      end--;
    }
    // What is between the strings is plain ASCII.
    String text = GoValues.oneLine(new String(line, 0, end, StandardCharsets.UTF_8));
    return (text + "\n").getBytes(StandardCharsets.UTF_8);
  }
}
