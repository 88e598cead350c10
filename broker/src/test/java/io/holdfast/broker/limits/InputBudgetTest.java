package io.holdfast.broker.limits;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.util.concurrent.DefaultEventExecutor;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who gives way when there is no room. */
class InputBudgetTest {
  private final DefaultEventExecutor loop = new DefaultEventExecutor();
  private final InputBudget budget = new InputBudget(1000, 500);
  private final List<String> closed = new CopyOnWriteArrayList<>();
  private final List<String> granted = new CopyOnWriteArrayList<>();

  @AfterEach
  void stop() {
    loop.shutdownGracefully();
  }

  private final class Sender implements InputBudget.Holder {
    private final String name;
    private final double received;
    private InputBudget.Lease lease;

    Sender(String name, long bytes, double received) {
      this.name = name;
      this.received = received;
      lease = budget.request(bytes, loop, this).lease();
      lease.received(received);
    }

    @Override
    public void granted() {
      granted.add(name);
      lease.received(1);
    }

    @Override
    public void mustHave(double part) {
      if (received < part) {
        closed.add(name);
        lease.release();
      }
    }
  }

  @Test
  void shouldCloseTheSlowestAloneWhenThatIsEnough() throws Exception {
    // All of them are below the pace, once a while has passed, but something comes of each.
    new Sender("slow", 400, 0.09);
    new Sender("slowest", 300, 0.07);
    new Sender("slower", 300, 0.08);
    new Sender("next", 300, 0);
    await().until(() -> granted.contains("next"));
    loop.submit(() -> {}).get();
    assertEquals(List.of("slowest"), closed);
    assertEquals(1000, budget.usedBytes());
  }

  @Test
  void shouldCloseAllOfWhomNothingComes() {
    new Sender("silent", 300, 0);
    new Sender("silent too", 300, 0);
    new Sender("busy", 400, 1);
    new Sender("next", 100, 0);
    await().until(() -> closed.size() == 2);
    assertTrue(granted.contains("next"));
  }
}
