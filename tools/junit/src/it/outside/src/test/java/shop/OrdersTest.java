package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sproutsocial.nsq.Client;
import com.sproutsocial.nsq.Publisher;
import io.holdfast.junit.HoldfastExtension;
import io.holdfast.junit.SeenMessage;
import io.holdfast.junit.TestBroker;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What is ordered is still there after the broker was killed. */
@ExtendWith(HoldfastExtension.class)
class OrdersTest {
  private static void order(InetSocketAddress broker, String what) {
    Client client = new Client();
    Publisher publisher = new Publisher(client, "127.0.0.1:" + broker.getPort(), null);
    publisher.publish("orders", what.getBytes(StandardCharsets.UTF_8));
    client.stop();
  }

  @Test
  void shouldKeepOrdersOverAKill(TestBroker broker, InetSocketAddress address) {
    broker.createChannel("orders", "billing");
    order(address, "tea");
    broker.kill();
    broker.restart();
    broker.awaitDepth("orders", "billing", 1, Duration.ofMinutes(1));
    List<SeenMessage> messages = broker.messages("orders", "billing");
    assertEquals(List.of("tea"), messages.stream().map(SeenMessage::text).toList());
  }
}
