package io.holdfast.broker.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LeaderAbsenceTest {
  private final String[] leaders = new String[2];
  private final List<String> told = new ArrayList<>();
  private long nowNs = 1;
  private final LeaderAbsence absence =
      new LeaderAbsence(
          2,
          group -> leaders[group],
          () -> nowNs,
          List.of(group -> told.add("lost " + group)),
          () -> told.add("changed"));

  private void look(long afterNs) {
    nowNs += afterNs;
    absence.look();
  }

  @Test
  void aFailoverIsNoAbsence() {
    look(LeaderAbsence.MAX_NS * 2);
    assertFalse(absence.isPresent(0));
    leaders[0] = "a";
    look(1);
    assertTrue(absence.isPresent(0));
    assertFalse(absence.isPresent(1));
    leaders[0] = null;
    look(LeaderAbsence.MAX_NS - 1);
    leaders[0] = "b";
    look(1);
    assertTrue(absence.isPresent(0));
    assertEquals(List.of("changed"), told);
  }

  @Test
  void aGroupWithoutALeaderIsGivenUp() {
    leaders[0] = "a";
    leaders[1] = "b";
    look(0);
    leaders[1] = null;
    look(LeaderAbsence.MAX_NS);
    look(1);
    assertTrue(absence.isPresent(0));
    assertFalse(absence.isPresent(1));
    assertEquals(List.of("changed", "lost 1", "changed"), told);
    leaders[1] = "c";
    look(1);
    assertTrue(absence.isPresent(1));
    assertEquals("changed", told.get(3));
  }
}
