package io.holdfast.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The backend of an ephemeral channel: nothing comes back, and what was dropped is counted. */
class DummyBackendTest {
  @Test
  void shouldCountWhatMemoryHadNoRoomFor() {
    try (DummyBackend backend = new DummyBackend()) {
      Batch batch = Batches.of("a", "b", "c");
      backend.put(batch, 3);
      assertEquals(0, backend.dropped());
      backend.put(batch, 1);
      backend.put(batch, 0);
      assertEquals(5, backend.dropped());
      assertTrue(backend.isCaughtUp());
      assertEquals(0, backend.depth());
      assertFalse(backend.poll(new MessageView()));
    }
  }

  @Test
  void shouldNeitherKeepNorHoldBackAnything() {
    try (DummyBackend backend = new DummyBackend()) {
      MessageRef ref = new MessageRef(0, 4, 8, 1, 1);
      backend.putHeld(Batches.of("a"), List.of(new HeldMessage(ref, 5)));
      backend.hold(List.of(new HeldMessage(ref, 5)));
      assertEquals(0, backend.dropped());
      assertFalse(backend.read(ref, new MessageView()));
      assertFalse(backend.keepsBodies());
      // So that it never keeps a file of the topic's journal.
      assertEquals(Long.MAX_VALUE, backend.neededFrom());
      assertFalse(backend.wantsCheckpoint());
      assertFalse(backend.isBehind());
      assertEquals(0, backend.diskBytes());
      assertEquals(0, backend.unreadable());
    }
  }
}
