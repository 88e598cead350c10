package io.holdfast.tools.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.holdfast.tools.FakeBroker;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LookupClientTest {
  private static final String PRODUCER =
      "{\"producers\":[{\"broadcast_address\":\"b\",\"tcp_port\":1,\"http_port\":2}]}";

  private final HttpJson http = new HttpJson(Duration.ofSeconds(2));

  @Test
  void shouldUniteTheAnswers() throws IOException {
    try (FakeBroker one = new FakeBroker();
        FakeBroker two = new FakeBroker()) {
      one.httpAnswers.put("/lookup", PRODUCER);
      two.httpAnswers.put("/lookup", "{\"data\":" + PRODUCER + "}");
      LookupClient lookup =
          new LookupClient(
              http, List.of(one.http(), two.http(), new BrokerAddress("127.0.0.1", 1)));
      assertEquals(
          Set.of(new LookupClient.Producer(new BrokerAddress("b", 1), new BrokerAddress("b", 2))),
          lookup.lookup("t"));
      assertEquals(Set.of(), lookup.nodes());
    }
  }

  @Test
  void shouldFailWhenNobodyAnswers() {
    LookupClient lookup = new LookupClient(http, List.of(new BrokerAddress("127.0.0.1", 1)));
    IOException e = assertThrows(IOException.class, () -> lookup.lookup("t"));
    assertEquals("nsqlookupd 127.0.0.1:1: no connection", e.getMessage());
  }
}
