package io.holdfast.tools.client;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.FakeBroker;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class HttpJsonTest {
  @Test
  void shouldNotReadWithoutEnd() throws IOException {
    try (FakeBroker broker = new FakeBroker()) {
      broker.httpAnswers.put("/stats", " ".repeat(65 << 20));
      HttpJson http = new HttpJson(Duration.ofMinutes(2)); // Also on a busy machine.
      IOException e = assertThrows(IOException.class, () -> http.get(broker.http(), "/stats"));
      assertTrue(e.getMessage().contains("the answer has more than 64 MB"), e.getMessage());
    }
  }
}
