package io.holdfast.broker.cluster.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SerialTest {
  private final Serial serial = new Serial();
  private final List<Integer> ran = new ArrayList<>();

  @Test
  void shouldRunWhatATaskBringsWhenItIsOver() {
    serial.run(
        () -> {
          serial.run(() -> ran.add(2));
          ran.add(1);
        });
    serial.run(() -> ran.add(3));
    assertEquals(List.of(1, 2, 3), ran);
  }

  @Test
  void shouldGoOnAfterATaskThatFails() {
    serial.run(
        () -> {
          throw new IllegalStateException("on purpose");
        });
    serial.run(() -> ran.add(1));
    assertEquals(List.of(1), ran);
  }

  @Test
  void shouldRunTasksOfManyThreadsOneByOneAndThoseOfEachInOrder() throws Exception {
    int threads = 4;
    int each = 20_000;
    int[] last = new int[threads];
    AtomicInteger wrong = new AtomicInteger();
    List<Thread> all = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      int thread = i;
      all.add(
          new Thread(
              () -> {
                for (int n = 1; n <= each; n++) {
                  int number = n;
                  serial.run(
                      () -> {
                        // Nothing guards it but the order.
                        ran.add(thread);
                        wrong.addAndGet(++last[thread] == number ? 0 : 1);
                      });
                }
              }));
    }
    all.forEach(Thread::start);
    for (Thread thread : all) {
      thread.join();
    }
    assertEquals(threads * each, ran.size());
    assertEquals(0, wrong.get());
  }
}
