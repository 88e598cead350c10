package io.holdfast.broker.cluster.engine;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What may be under way: beyond it all are refused, in the order in which they come. */
class JraftProposalsTest {
  private final JraftProposals proposals = new JraftProposals();
  private final List<JraftProposal> made = new ArrayList<>();

  private JraftProposal add(int bytes) {
    JraftProposal added = proposals.add(new Told(), bytes);
    if (added != null) {
      made.add(added);
    }
    return added;
  }

  @Test
  void shouldTakeFewerThanOneOfTheEnginesQueuesHolds() {
    while (made.size() < JraftOptions.RING_SLOTS && add(1) != null) {
      // Until it takes no more.
      assertNotNull(made);
    }
    assertNull(add(1), "of " + made.size());
    made.get(0).applied(1);
    made.get(0).applied(1);
    assertNotNull(add(1));
    assertNull(add(1));
    proposals.unknown("over");
    assertNotNull(add(1));
  }

  @Test
  void shouldTakeOneLargeEntryAtLeast() {
    assertNotNull(add((int) JraftProposals.MAX_BYTES));
    assertNull(add(1));
    made.get(0).refused("no");
    assertNotNull(add(1));
  }
}
