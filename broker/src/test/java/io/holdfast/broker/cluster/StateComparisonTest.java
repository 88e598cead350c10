package io.holdfast.broker.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Nodes that have made different things of the same log. */
final class StateComparisonTest {
  private final StateComparison comparison = new StateComparison();
  private final Logger logger = (Logger) LoggerFactory.getLogger(StateComparison.class);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

  @BeforeEach
  void listen() {
    lines.setContext(logger.getLoggerContext());
    lines.start();
    logger.addAppender(lines);
  }

  @AfterEach
  void listenNoMore() {
    logger.detachAppender(lines);
  }

  private List<String> said() {
    List<String> said =
        lines.list.stream().map(e -> e.getLevel() + " " + e.getFormattedMessage()).toList();
    lines.list.clear();
    return said;
  }

  private String look(Map<Long, Integer> own, Map<Long, Integer> atB, Map<Long, Integer> atC) {
    return comparison.look(1, own, Map.of("b", atB, "c", atC));
  }

  @Test
  void theSameIsNothingToSay() {
    assertNull(look(Map.of(10L, 1, 20L, 2), Map.of(10L, 1), Map.of(20L, 2)));
    assertNull(look(Map.of(10L, 1), Map.of(), Map.of(20L, 2)), "none in common");
    assertNull(comparison.look(1, Map.of(), Map.of()), "alone");
    assertEquals(List.of(), said());
    assertEquals(List.of(), comparison.differences());
  }

  @Test
  void anotherOneThatDiffersIsSaidOnceAndUntilItDoesNot() {
    Map<Long, Integer> own = Map.of(10L, 1, 20L, 2);
    assertNull(look(own, Map.of(10L, 1, 20L, 2), Map.of(20L, 0xab)));
    String line =
        "ERROR CLUSTER: group 1: the state of c at 20 is 000000ab, not 00000002: one of the nodes"
            + " applies the log wrongly";
    assertEquals(List.of(line), said());
    assertNull(look(own, Map.of(20L, 2), Map.of(20L, 0xab)));
    assertEquals(List.of(), said());
    assertEquals(List.of("c"), comparison.differing(1));
    assertEquals(List.of(), comparison.differing(0));
    assertEquals(List.of("the state of group 1 differs at c"), comparison.differences());
    // It was replaced; what was wrong further back is over.
    assertNull(look(own, Map.of(20L, 2), Map.of(10L, 0xab, 20L, 2)));
    assertEquals(List.of(), comparison.differences());
  }

  @Test
  void withOneOtherNobodyKnowsWhichIsWrong() {
    assertNull(comparison.look(1, Map.of(20L, 2), Map.of("b", Map.of(20L, 3))));
    assertEquals(1, said().size());
  }

  @Test
  void whoDiffersFromTwoThatAgreeIsWrong() {
    assertEquals(
        "the state here at 20 is 00000002, that of b and c 00000003",
        look(Map.of(10L, 1, 20L, 2, 30L, 4), Map.of(20L, 3, 30L, 5), Map.of(10L, 1, 20L, 3)));
    assertNull(look(Map.of(20L, 2), Map.of(20L, 3), Map.of(20L, 4)), "three different ones");
    assertNull(look(Map.of(10L, 1, 20L, 2), Map.of(10L, 9), Map.of(20L, 9)), "at no index of all");
  }
}
