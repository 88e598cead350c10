package io.holdfast.broker.cluster.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class RepeatsTest {
  private static final String DELETE = "POST /topic/delete";
  private static final String EMPTY = "POST /channel/empty";

  /** What gets through, in its order, each with what is to be told of it. */
  private final List<String> passed = new ArrayList<>();

  private final Deque<Consumer<TopicAnswer>> waiting = new ArrayDeque<>();

  /** Statuses told, in their order. */
  private final List<String> told = new ArrayList<>();

  private long nowNs = 1;
  private final Repeats repeats =
      new Repeats(
          (node, request, then) -> {
            passed.add(node + " " + request.topic());
            waiting.add(then);
          },
          () -> nowNs);

  private static TopicAnswer answer(int status) {
    return new TopicAnswer(status, null, new byte[0], false);
  }

  private void ask(String node, String action, String topic) {
    TopicRequest request =
        new TopicRequest(
            topic, "c", action, "", null, false, new TopicRequest.Asker("u", "admin", "r"));
    repeats.answer(node, request, answer -> told.add(node + answer.status()));
  }

  /** Answers what got through first. */
  private void become(int status) {
    waiting.remove().accept(answer(status));
  }

  private void pass(long ms) {
    nowNs += TimeUnit.MILLISECONDS.toNanos(ms);
  }

  @Test
  void whatWasDeletedThroughAnotherNodeIsGone() {
    ask("a", DELETE, "t");
    become(200);
    pass(500);
    ask("b", DELETE, "t");
    become(404);
    ask("a", DELETE, "t");
    become(404);
    ask("c", DELETE, "t");
    become(404);
    ask("c", DELETE, "other");
    become(404);
    assertEquals(List.of("a200", "b200", "a404", "c200", "c404"), told);
    pass(1600);
    ask("b", DELETE, "t");
    become(404);
    assertEquals("b404", told.get(5));
  }

  @Test
  void whatIsThereAgainIsDeleted() {
    ask("a", DELETE, "t");
    become(200);
    ask("b", DELETE, "t");
    become(200);
    assertEquals(List.of("a t", "b t"), passed);
    assertEquals(List.of("a200", "b200"), told);
  }

  @Test
  void lateCopiesOfAnEmptyingDoNothing() {
    ask("a", EMPTY, "t");
    become(200);
    ask("b", EMPTY, "t");
    ask("c", EMPTY, "t");
    ask("b", EMPTY, "other");
    ask("a", EMPTY, "t");
    assertEquals(List.of("a t", "b other", "a t"), passed);
    assertEquals(List.of("a200", "b200", "c200"), told);
    become(200);
    become(200);
    pass(2001);
    ask("b", EMPTY, "t");
    assertEquals("b t", passed.get(3));
  }

  @Test
  void copiesOfWhatIsUnderWayWaitForIt() {
    ask("a", EMPTY, "t");
    ask("b", EMPTY, "t");
    ask("c", EMPTY, "t");
    assertEquals(List.of("a t"), passed);
    become(200);
    assertEquals(List.of("a200", "b200", "c200"), told.stream().sorted().toList());
  }

  @Test
  void whatFailedIsDoneByTheNextOne() {
    ask("a", EMPTY, "t");
    ask("b", EMPTY, "t");
    become(503);
    assertEquals(List.of("a t", "b t"), passed);
    ask("c", EMPTY, "t");
    become(200);
    assertEquals(List.of("a t", "b t"), passed);
    assertEquals(List.of("a503", "b200", "c200"), told.stream().sorted().toList());
  }

  @Test
  void aDeletionThatFailedForgetsNoOther() {
    ask("a", DELETE, "t");
    become(200);
    ask("a", DELETE, "t");
    become(503);
    ask("b", DELETE, "t");
    become(404);
    assertEquals(List.of("a200", "a503", "b200"), told);
  }

  @Test
  void noMoreThanSoManyAreRemembered() {
    for (int i = 0; i <= Repeats.MAX; i++) {
      ask("a", DELETE, "t" + i);
      become(200);
    }
    ask("b", DELETE, "t0");
    become(404);
    ask("b", DELETE, "t1");
    become(404);
    assertEquals(List.of("b404"), told.subList(Repeats.MAX + 1, Repeats.MAX + 2));
  }
}
