package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.millisSince;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** A disk whose fsyncs take a second each, by strace: only who waits for the disk notices. */
class SlowDiskSystemTest {
  private static final int FSYNC_MS = 1000;
  private static final int MEASURE_MS = 6000;

  /** Far below an fsync; a busy machine needs some of it. */
  private static final int MAX_MS = 600;

  private static Process slowDown(BrokerProcess broker, Path trace, Path messages) {
    Process strace;
    try {
      strace =
          new ProcessBuilder(
                  "strace",
                  "-f",
                  "-e",
                  "trace=fsync,fdatasync",
                  "-e",
                  "inject=fsync,fdatasync:delay_exit=" + FSYNC_MS * 1000,
                  "-o",
                  trace.toString(),
                  "-p",
                  String.valueOf(broker.pid()))
              .redirectErrorStream(true)
              .redirectOutput(messages.toFile())
              .start();
    } catch (IOException e) {
      System.out.println("SKIPPED: no strace here: " + e.getMessage());
      Assumptions.abort("no strace here");
      throw new IllegalStateException(e);
    }
    Awaitility.await("strace")
        .until(() -> !strace.isAlive() || Files.readString(messages).contains("attached"));
    if (!strace.isAlive()) {
      System.out.println("SKIPPED: strace may not attach here");
      Assumptions.abort("strace may not attach here");
    }
    return strace;
  }

  @Test
  void shouldNotStallWhoDoesNotWaitForTheDisk() throws Exception {
    Reference.holdfastOnly("nsqd syncs in the loop of each queue");
    try (BrokerProcess broker =
        BrokerProcess.started("--sync-every=1", "--max-bytes-per-file=1048576")) {
      Path trace = broker.home().resolve("trace");
      AtomicBoolean stop = new AtomicBoolean();
      AtomicInteger created = new AtomicInteger();
      Thread creator =
          new Thread(
              () -> {
                // New topics wait for the disk, over TCP and HTTP.
                while (!stop.get()) {
                  String topic = "new" + created.incrementAndGet();
                  broker.http().post("/pub?topic=" + topic, "x").expect(200, "OK");
                }
              });
      int slowest = 0;
      int slowestPing = 0;
      int count = 0;
      try (RawNsqConnection consumer = broker.connect();
          RawNsqConnection publisher = broker.connect()) {
        consumer.identify("{\"heartbeat_interval\":1000}");
        consumer.line("SUB quick ch").expectOk().line("RDY 10");
        publisher.pub("quick", "warm");
        consumer.fin(consumer.message());
        String body = "b".repeat(20_000);
        Process strace = slowDown(broker, trace, broker.home().resolve("strace.out"));
        try {
          creator.start();
          long start = System.nanoTime();
          int heartbeats = 0;
          while (millisSince(start) < MEASURE_MS) {
            long before = System.nanoTime();
            publisher.pub("quick", body);
            Frame frame = consumer.poll(Duration.ofSeconds(10));
            while (frame.isHeartbeat()) {
              heartbeats++;
              consumer.line("NOP");
              frame = consumer.poll(Duration.ofSeconds(10));
            }
            consumer.fin(frame.message());
            slowest = Math.max(slowest, (int) millisSince(before));
            count++;
            long beforePing = System.nanoTime();
            assertEquals(200, broker.http().get("/ping").status());
            slowestPing = Math.max(slowestPing, (int) millisSince(beforePing));
          }
          assertTrue(heartbeats >= MEASURE_MS / 1000 - 2, "heartbeats: " + heartbeats);
        } finally {
          stop.set(true);
          strace.destroy();
          strace.waitFor();
        }
        creator.join(30_000);
      }
      long fsyncs = Files.readString(trace).lines().filter(l -> l.contains("DELAYED")).count();
      System.out.printf(
          "fsyncs of %d ms: %d; %d publishes and deliveries, slowest %d ms; /ping %d ms%n",
          FSYNC_MS, fsyncs, count, slowest, slowestPing);
      assertTrue(fsyncs >= 4, "slow fsyncs: " + fsyncs);
      assertTrue(slowest < MAX_MS, "ms: " + slowest);
      assertTrue(slowestPing < MAX_MS, "ms: " + slowestPing);
    }
  }
}
