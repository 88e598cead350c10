package io.holdfast.broker.system.interop;

import com.sproutsocial.nsq.Client;
import com.sproutsocial.nsq.Config;
import com.sproutsocial.nsq.DirectSubscriber;
import com.sproutsocial.nsq.Message;
import com.sproutsocial.nsq.MessageHandler;
import com.sproutsocial.nsq.Publisher;
import com.sproutsocial.nsq.Subscriber;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;

/** nsq-j by Sprout Social. */
public final class NsqJClient implements InteropClient {
  private final String address;
  private final Config config = new Config();
  private final Publisher publisher;
  private Subscriber subscriber;

  /**
   * @param tls trusts the broker; unused in clear. It counts for all of the JVM
   */
  public NsqJClient(int tcpPort, Transport transport, SSLContext tls) {
    address = "127.0.0.1:" + tcpPort;
    config.setTlsV1(transport.isTls());
    config.setSnappy(transport.isSnappy());
    config.setDeflate(transport.isDeflate());
    Client.getDefaultClient().setSSLSocketFactory(tls.getSocketFactory());
    publisher = new Publisher(address);
    publisher.setConfig(config);
  }

  @Override
  public void publish(String topic, String body) {
    publisher.publish(topic, bytes(body));
  }

  @Override
  public void publishMulti(String topic, List<String> bodies) {
    publisher.publish(topic, bodies.stream().map(NsqJClient::bytes).toList());
  }

  @Override
  public boolean canDefer() {
    return true;
  }

  @Override
  public void publishDeferred(String topic, String body, int delayMs) {
    publisher.publishDeferred(topic, bytes(body), delayMs, TimeUnit.MILLISECONDS);
  }

  @Override
  public void consume(String topic, String channel, Handler handler) {
    subscriber = new DirectSubscriber(1, address);
    subscriber.setConfig(config);
    subscriber.setDefaultMaxInFlight(10);
    subscriber.subscribe(
        topic, channel, (MessageHandler) message -> handler.handle(new NsqJDelivery(message)));
  }

  private static byte[] bytes(String body) {
    return body.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    publisher.stop();
    if (subscriber != null) {
      subscriber.stop();
    }
  }

  private record NsqJDelivery(Message message) implements Delivery {
    @Override
    public String body() {
      return new String(message.getData(), StandardCharsets.UTF_8);
    }

    @Override
    public int attempts() {
      return message.getAttempts();
    }

    @Override
    public void finish() {
      message.finish();
    }

    @Override
    public void requeue(int delayMs) {
      message.requeue(delayMs);
    }

    @Override
    public void touch() {
      message.touch();
    }
  }
}
