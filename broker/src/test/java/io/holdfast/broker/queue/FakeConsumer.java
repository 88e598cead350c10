package io.holdfast.broker.queue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A consumer without a connection, which notes what is done to it. One thread. */
public final class FakeConsumer implements Consumer, DeliverySink {
  /** What it was sent. */
  public record Delivery(long id, int attempts, long timestampNs, String body) {}

  private final InFlightQueue inFlight = new InFlightQueue();

  /** What it was sent and the test did not take yet. */
  public final List<Delivery> sent = new ArrayList<>();

  /** What is to run later, in the order it was asked for. */
  final List<Runnable> later = new ArrayList<>();

  long readyCount = 100;
  public long msgTimeoutNs = 60_000_000_000L;
  boolean asked = true;
  int sampleRate;
  long maxHoldNs;
  String zone = "";
  String region = "";
  boolean subscribed = true;
  int wakes;
  public boolean closed;
  private boolean waiting;
  private int bytes;

  FakeConsumer ready(long count) {
    readyCount = count;
    return this;
  }

  /** What it was sent since the last call: the bodies. */
  public List<String> bodies() {
    List<String> bodies = sent.stream().map(Delivery::body).toList();
    sent.clear();
    return bodies;
  }

  @Override
  public int size() {
    return bytes;
  }

  @Override
  public void message(long timestampNs, int attempts, long id, byte[] body, int start, int length) {
    add(id, attempts, timestampNs, new String(body, start, length, StandardCharsets.US_ASCII));
  }

  @Override
  public void message(long timestampNs, int attempts, long id, ByteBuffer body) {
    add(id, attempts, timestampNs, StandardCharsets.US_ASCII.decode(body).toString());
  }

  private void add(long id, int attempts, long timestampNs, String body) {
    sent.add(new Delivery(id, attempts, timestampNs, body));
    bytes += body.length();
  }

  @Override
  public boolean isSubscribed() {
    return subscribed;
  }

  @Override
  public long readyCount() {
    return readyCount;
  }

  @Override
  public InFlightQueue inFlight() {
    return inFlight;
  }

  @Override
  public boolean isWaiting() {
    return waiting;
  }

  @Override
  public void setWaiting(boolean waits) {
    waiting = waits;
  }

  @Override
  public long msgTimeoutNs() {
    return msgTimeoutNs;
  }

  @Override
  public boolean askedMsgTimeout() {
    return asked;
  }

  @Override
  public int sampleRate() {
    return sampleRate;
  }

  @Override
  public long maxHoldNs() {
    return maxHoldNs;
  }

  @Override
  public String topologyZone() {
    return zone;
  }

  @Override
  public String topologyRegion() {
    return region;
  }

  @Override
  public void wake() {
    wakes++;
  }

  @Override
  public boolean runLater(Runnable task, long delayNs) {
    later.add(task);
    return true;
  }

  @Override
  public void close() {
    closed = true;
  }
}
