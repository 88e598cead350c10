package io.holdfast.broker.system.interop;

import java.util.List;

/** A real client library: a publisher and one consumer. Bodies are text in UTF-8. */
public interface InteropClient extends AutoCloseable {
  /**
   * Publishes and returns once the broker said OK. Throws {@link RuntimeException} when it did not.
   */
  void publish(String topic, String body);

  /** Publishes all in one MPUB. */
  void publishMulti(String topic, List<String> bodies);

  /** Whether {@link #publishDeferred} works. */
  boolean canDefer();

  void publishDeferred(String topic, String body, int delayMs);

  /**
   * Starts consuming with up to 10 messages in flight; the handler runs on the library's threads.
   */
  void consume(String topic, String channel, Handler handler);

  @Override
  void close();

  /** Decides what happens to a message. */
  @FunctionalInterface
  interface Handler {
    void handle(Delivery delivery);
  }

  /** A message as the library shows it. */
  interface Delivery {
    String body();

    int attempts();

    void finish();

    /** Requeue after that many ms. */
    void requeue(int delayMs);

    void touch();
  }
}
