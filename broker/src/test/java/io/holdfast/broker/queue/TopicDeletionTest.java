package io.holdfast.broker.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.queue.SimulatedBroker.SimulatedCrash;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Deletions that come late, twice, or go wrong, next to successors of the same name. */
class TopicDeletionTest {
  @TempDir Path dir;

  private SimulatedBroker broker;

  @BeforeEach
  void start() throws Exception {
    SimulationSettings settings = new SimulationSettings(10, 1 << 20, 100, 4096, false);
    broker = new SimulatedBroker(dir, settings, new Random(1));
    broker.createTopic("t");
  }

  @AfterEach
  void stop() throws Exception {
    broker.close();
    broker.bury();
  }

  private Topic topic() {
    return broker.topic("t");
  }

  private void publish(int messages) throws Exception {
    for (int i = 0; i < messages; i++) {
      ByteBuf section = Unpooled.buffer().writeInt(100).writeBytes(new byte[100]);
      assertTrue(topic().putMessages(section.nioBuffer(), 1, 0, 0, null));
      section.release();
    }
  }

  @Test
  void shouldNotTouchSuccessorWhenDeletedTwice() throws Exception {
    final Topic old = topic();
    broker.deleteTopic("t");
    broker.createTopic("t");
    publish(3);
    // Another administrator's request, which found the old topic still there.
    old.exit(true);
    assertTrue(Files.isDirectory(broker.dataDir().journalDir("t")));
    broker.start();
    assertEquals(3, topic().depth());
  }

  @Test
  void shouldNotTouchSuccessorsFilesWhenHousekeepingIsLate() throws Exception {
    final Topic old = topic();
    old.channel("c");
    publish(200);
    old.existingChannel("c").empty();
    broker.deleteTopic("t");
    broker.createTopic("t");
    publish(3);
    old.housekeep(broker.nanos());
    broker.start();
    assertEquals(3, topic().depth());
  }

  @Test
  void shouldRefusePublishesAndConsumersOnceDeleted() throws Exception {
    Topic old = topic();
    final Channel channel = old.channel("c");
    broker.deleteTopic("t");
    ByteBuf section = Unpooled.buffer().writeInt(1).writeByte('x');
    BrokerException refused =
        assertThrows(
            BrokerException.class, () -> old.putMessages(section.nioBuffer(), 1, 0, 0, null));
    section.release();
    assertEquals("exiting", refused.getMessage());
    assertThrows(BrokerException.class, () -> old.channel("d"));
    SimulatedClient client = new SimulatedClient("c1", 1000, 0);
    assertThrows(BrokerException.class, () -> channel.addClient(client.client));
    // Neither fails: there is nothing left to be emptied or handed over.
    channel.empty();
    old.pause();
    old.empty();
    old.unpause();
    assertEquals(0, broker.diskErrors.size());
  }

  @Test
  void shouldHandOnAllAfterLastChannelCouldNotBeDeleted() throws Exception {
    topic().channel("a");
    publish(2);
    broker.crashInWrite(1, false);
    // To the topic an error of the disk like any other.
    assertThrows(SimulatedCrash.class, () -> topic().deleteChannel("a"));
    assertNotNull(topic().existingChannel("a"));
    topic().channel("b");
    assertTrue(topic().deleteChannel("a"));
    publish(5);
    assertEquals(0, topic().depth());
    assertEquals(5, topic().existingChannel("b").figures().depth());
  }

  @Test
  void shouldForgetWhatFailedDeletionLeft() throws Exception {
    topic().channel("a");
    publish(3);
    Path ledger = broker.dataDir().channelDir("t", "a");
    Path saved = dir.resolve("saved");
    copy(ledger, saved);
    assertTrue(topic().deleteChannel("a"));
    // As if the directory could not be moved away.
    copy(saved, ledger);
    assertTrue(topic().deleteChannel("a"));
    assertFalse(Files.exists(ledger));
    assertFalse(topic().deleteChannel("a"));
    copy(saved, ledger);
    topic().channel("b");
    topic().channel("a");
    publish(1);
    assertEquals(1, topic().existingChannel("a").figures().depth());
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  @Test
  void shouldDeleteUnusedChannelOnlyWhileItIs() throws Exception {
    final Channel first = topic().channel("x#ephemeral");
    SimulatedClient client = new SimulatedClient("c1", 1000, 0);
    first.addClient(client.client);
    topic().deleteUnused(first);
    assertSame(first, topic().existingChannel("x#ephemeral"));
    client.leave(first);
    topic().deleteUnused(first);
    assertNull(topic().existingChannel("x#ephemeral"));
    assertTrue(first.isExiting());
    Channel second = topic().channel("x#ephemeral");
    topic().deleteUnused(first);
    assertSame(second, topic().existingChannel("x#ephemeral"));
  }

  @Test
  void shouldTakeConsumersAgainAfterUnusedChannelCouldNotBeDeleted() throws Exception {
    final Channel channel = topic().channel("x#ephemeral");
    broker.crashInWrite(1, false);
    assertThrows(SimulatedCrash.class, () -> topic().deleteUnused(channel));
    SimulatedClient client = new SimulatedClient("c1", 1000, 0);
    channel.addClient(client.client);
    assertFalse(channel.isExiting());
  }

  @Test
  void shouldEndUnusedTopicOnlyWhileItIs() throws Exception {
    broker.createTopic("e#ephemeral");
    Topic ephemeral = broker.topic("e#ephemeral");
    ephemeral.channel("c");
    assertFalse(ephemeral.exitUnused());
    ephemeral.deleteChannel("c");
    assertTrue(ephemeral.exitUnused());
    assertFalse(ephemeral.exitUnused());
  }
}
