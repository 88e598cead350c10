package io.holdfast.broker.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.abort;

import com.sproutsocial.nsq.Client;
import com.sproutsocial.nsq.Publisher;
import io.holdfast.broker.system.interop.NsqJsClient;
import io.holdfast.broker.system.interop.Transport;
import io.holdfast.broker.system.support.BrokerProcess;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Real client libraries publish 100,000 messages from 3 publishers to a topic with 3 channels while
 * the broker is killed 10 times; every channel must get every message that was answered OK. One
 * channel is consumed all the time, one from the fifth kill on, one at the end. Not part of {@code
 * mvn verify}; the command is in the package's description.
 */
class RealClientSoak {
  private static final int MESSAGES = Integer.getInteger("holdfast.soak.messages", 100_000);
  private static final int KILLS = Integer.getInteger("holdfast.soak.kills", 10);
  private static final int PUBLISHERS = 3;
  private static final int MAX_BODY_BYTES = 64 << 10;
  private static final String TOPIC = "soak";
  private static final String ONE_BYTE_KEYS =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

  /** Publishes to the broker by a library; throws a RuntimeException when there was no OK. */
  private interface Library extends AutoCloseable {
    void publish(List<byte[]> bodies);

    @Override
    void close();
  }

  /** nsq-j; replaced after a failure, because it waits 10 s before it tries the same broker. */
  private static final class NsqJ implements Library {
    private final Client client = new Client();
    private final Publisher publisher;

    NsqJ(int tcpPort) {
      String address = "127.0.0.1:" + tcpPort;
      publisher = new Publisher(client, address, address);
    }

    @Override
    public void publish(List<byte[]> bodies) {
      if (bodies.size() == 1) {
        publisher.publish(TOPIC, bodies.get(0));
      } else {
        publisher.publish(TOPIC, bodies);
      }
    }

    @Override
    public void close() {
      publisher.stop();
    }
  }

  private static final class NsqJs implements Library {
    private final NsqJsClient client;

    NsqJs(Path directory, int tcpPort) {
      client = new NsqJsClient(directory, tcpPort, Transport.PLAIN);
    }

    @Override
    public void publish(List<byte[]> bodies) {
      client.publishMulti(
          TOPIC, bodies.stream().map(b -> new String(b, StandardCharsets.UTF_8)).toList());
    }

    @Override
    public void close() {
      client.close();
    }
  }

  private interface LibraryFactory {
    Library open(int tcpPort);
  }

  /** One publisher: its share of the messages in order, each batch repeated until it is OK. */
  private static final class Load implements Runnable {
    private final LibraryFactory factory;
    private final BrokerProcess broker;
    private final RealClientTally tally;
    private final Random random;
    private final int index;

    Load(
        LibraryFactory factory, BrokerProcess broker, RealClientTally tally, int index, long seed) {
      this.factory = factory;
      this.broker = broker;
      this.tally = tally;
      this.index = index;
      this.random = new Random(seed + index);
    }

    @Override
    public void run() {
      Library library = factory.open(broker.tcpPort());
      for (int number = index; number < MESSAGES; ) {
        List<byte[]> bodies = new ArrayList<>();
        List<String> keys = new ArrayList<>();
        int count = random.nextInt(10) == 0 ? 1 + random.nextInt(20) : 1;
        for (int i = 0; i < count && number < MESSAGES; i++, number += PUBLISHERS) {
          keys.add(
              number < ONE_BYTE_KEYS.length()
                  ? ONE_BYTE_KEYS.substring(number, number + 1)
                  : "p" + index + "-" + number);
          bodies.add(SoakBody.of(keys.get(i), sizeBytes(), tally.mask()));
        }
        while (true) {
          try {
            library.publish(bodies);
            break;
          } catch (RuntimeException noOk) {
            tally.failed();
            library.close();
            LockSupport.parkNanos(50_000_000);
            library = factory.open(broker.tcpPort());
          }
        }
        for (int i = 0; i < keys.size(); i++) {
          tally.ok(keys.get(i), bodies.get(i).length);
        }
      }
      library.close();
    }

    private int sizeBytes() {
      return switch (random.nextInt(50)) {
        case 0 -> random.nextInt(MAX_BODY_BYTES + 1);
        case 1, 2, 3, 4 -> random.nextInt(4096);
        default -> random.nextInt(300);
      };
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "1", "10000"})
  void shouldKeepEveryOkOfNsqJ(String memQueueSize) throws Exception {
    run("nsq-j", memQueueSize, 0xff, NsqJ::new);
  }

  @Test
  void shouldKeepEveryOkOfNsqJs(@TempDir Path directory) throws Exception {
    String missing = NsqJsClient.install(directory);
    if (missing != null) {
      System.out.println("nsqjs skipped: " + missing);
      abort("nsqjs: " + missing);
    }
    run("nsqjs", "10000", 0x7f, port -> new NsqJs(directory, port));
  }

  private static void run(String name, String memQueueSize, int mask, LibraryFactory factory)
      throws InterruptedException {
    long seed = Long.getLong("holdfast.soak.seed", System.nanoTime());
    long start = System.nanoTime();
    RealClientTally tally = new RealClientTally(TOPIC, mask);
    try (BrokerProcess broker = BrokerProcess.started("--mem-queue-size=" + memQueueSize)) {
      tally.createChannels(broker);
      tally.consume(broker, 0);
      AtomicInteger failures = new AtomicInteger();
      List<Thread> publishers = new ArrayList<>();
      for (int i = 0; i < PUBLISHERS; i++) {
        Thread thread = new Thread(new Load(factory, broker, tally, i, seed), "load-" + i);
        thread.setUncaughtExceptionHandler(
            (t, e) -> {
              e.printStackTrace();
              failures.incrementAndGet();
            });
        thread.setDaemon(true);
        thread.start();
        publishers.add(thread);
      }
      for (int kill = 1; kill <= KILLS; kill++) {
        int target = (int) ((long) MESSAGES * kill / (KILLS + 1));
        Awaitility.await("publishing, at " + target)
            .atMost(Duration.ofMinutes(5))
            .pollInterval(Duration.ofMillis(2))
            .until(() -> tally.okCount() >= target || failures.get() > 0);
        broker.kill9();
        tally.killed();
        broker.start();
        tally.killed(); // consumers may have been slow to see the end
        if (kill == KILLS / 2) {
          tally.consume(broker, 1);
        }
      }
      for (Thread thread : publishers) {
        thread.join(Duration.ofMinutes(5).toMillis());
      }
      assertEquals(0, failures.get(), "failed publishers");
      assertEquals(MESSAGES, tally.okCount());
      tally.consume(broker, 2);
      String lost = tally.awaitAll();
      System.out.printf(
          "%s mem-queue-size=%s kills=%d %s seconds=%d seed=%d%n",
          name,
          memQueueSize,
          KILLS,
          tally.summary(),
          (System.nanoTime() - start) / 1_000_000_000,
          seed);
      assertEquals("", lost + tally.wrong());
    } finally {
      tally.close();
    }
  }
}
