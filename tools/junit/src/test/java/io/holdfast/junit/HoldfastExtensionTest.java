package io.holdfast.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.sproutsocial.nsq.Client;
import com.sproutsocial.nsq.Publisher;
import io.holdfast.broker.Holdfast;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The extension as an outside project uses it, with an NSQ client. */
class HoldfastExtensionTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @RegisterExtension
  final HoldfastExtension extension = new HoldfastExtension().option("event_loop_threads", "1");

  private static void publish(InetSocketAddress broker, String body) {
    Client client = new Client();
    Publisher publisher = new Publisher(client, "127.0.0.1:" + broker.getPort(), null);
    publisher.publish("orders", body.getBytes(StandardCharsets.UTF_8));
    client.stop();
  }

  @Test
  void shouldKeepMessagesOverKillAndRestart(TestBroker broker, InetSocketAddress address) {
    broker.createChannel("orders", "billing");
    publish(address, "tea");
    broker.awaitDepth("orders", "billing", 1, PATIENCE);
    final Holdfast before = broker.holdfast();
    broker.kill();
    assertThrows(IllegalStateException.class, broker::tcpAddress);
    broker.restart();
    assertNotSame(before, broker.holdfast());
    publish(address, "cake");
    broker.awaitDepth("orders", "billing", 2, PATIENCE);
    broker.restart();
    List<SeenMessage> messages = broker.messages("orders", "billing");
    assertEquals(List.of("tea", "cake"), messages.stream().map(SeenMessage::text).toList());
  }

  @Test
  void shouldSayWhatIsThereWhenDepthIsNotReached(TestBroker broker) {
    AssertionError error =
        assertThrows(
            AssertionError.class, () -> broker.awaitDepth("orders", "none", 3, Duration.ZERO));
    assertEquals("depth of orders/none is 0 after PT0S, not 3", error.getMessage());
    assertEquals(List.of(), broker.messages("orders", "none"));
    assertEquals(0, broker.depth("orders"));
  }
}
