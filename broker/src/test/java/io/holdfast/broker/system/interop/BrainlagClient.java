package io.holdfast.broker.system.interop;

import com.github.brainlag.nsq.NSQConfig;
import com.github.brainlag.nsq.NSQConsumer;
import com.github.brainlag.nsq.NSQMessage;
import com.github.brainlag.nsq.NSQProducer;
import com.github.brainlag.nsq.ServerAddress;
import com.github.brainlag.nsq.exceptions.NSQException;
import com.github.brainlag.nsq.lookup.NSQLookup;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/** nsq-client by brainlag. */
public final class BrainlagClient implements InteropClient {
  private final int tcpPort;
  private final Transport transport;
  private final NSQProducer producer;
  private NSQConsumer consumer;

  public BrainlagClient(int tcpPort, Transport transport) {
    this.tcpPort = tcpPort;
    this.transport = transport;
    producer = new NSQProducer().addAddress("127.0.0.1", tcpPort).setConfig(newConfig()).start();
  }

  private NSQConfig newConfig() {
    NSQConfig config = new NSQConfig();
    if (transport.isTls()) {
      try {
        config.setSslContext(
            SslContextBuilder.forClient()
                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                .build());
      } catch (SSLException e) {
        throw new IllegalStateException(e);
      }
    }
    if (transport.isSnappy()) {
      config.setCompression(NSQConfig.Compression.SNAPPY);
    } else if (transport.isDeflate()) {
      config.setCompression(NSQConfig.Compression.DEFLATE);
      config.setDeflateLevel(4);
    }
    return config;
  }

  @Override
  public void publish(String topic, String body) {
    try {
      producer.produce(topic, body.getBytes(StandardCharsets.UTF_8));
    } catch (NSQException | TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void publishMulti(String topic, List<String> bodies) {
    try {
      producer.produceMulti(
          topic, bodies.stream().map(b -> b.getBytes(StandardCharsets.UTF_8)).toList());
    } catch (NSQException | TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public boolean canDefer() {
    return false;
  }

  @Override
  public void publishDeferred(String topic, String body, int delayMs) {
    throw new UnsupportedOperationException("nsq-client knows no DPUB");
  }

  @Override
  public void consume(String topic, String channel, Handler handler) {
    NSQConfig config = newConfig();
    config.setMaxInFlight(10);
    consumer =
        new NSQConsumer(
            new FixedLookup(tcpPort),
            topic,
            channel,
            m -> handler.handle(new BrainlagDelivery(m)),
            config);
    consumer.setMessagesPerBatch(10);
    consumer.setLookupPeriod(500);
    consumer.start();
  }

  @Override
  public void close() {
    producer.shutdown();
    if (consumer != null) {
      consumer.shutdown();
    }
  }

  /** Finds the one broker without an nsqlookupd. */
  private record FixedLookup(int tcpPort) implements NSQLookup {
    @Override
    public Set<ServerAddress> lookup(String topic) {
      return Set.of(new ServerAddress("127.0.0.1", tcpPort));
    }

    @Override
    public void addLookupAddress(String address, int port) {
      throw new UnsupportedOperationException("one fixed address");
    }
  }

  private record BrainlagDelivery(NSQMessage message) implements Delivery {
    @Override
    public String body() {
      return new String(message.getMessage(), StandardCharsets.UTF_8);
    }

    @Override
    public int attempts() {
      return message.getAttempts();
    }

    @Override
    public void finish() {
      message.finished();
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
