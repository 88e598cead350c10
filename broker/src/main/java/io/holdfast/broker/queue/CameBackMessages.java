package io.holdfast.broker.queue;

import java.util.stream.Stream;

/** A channel's messages that came back and are ready. The channel's lock guards it. */
interface CameBackMessages {
  /**
   * Adds a message.
   *
   * @param key kept with it
   */
  void add(Message message, long key);

  /** The next message, which stays; there is one. */
  Message first();

  /** Of the next message. */
  long firstKey();

  /** Takes out the next message. */
  void removeFirst();

  int size();

  /** The key of the message so many places behind the next. */
  long key(int place);

  /** Shows all messages. */
  void visit(Message.Visitor visitor);

  /** The messages, each made when it is asked for. */
  Stream<Message> messages();

  /** The lowest ordinal of all; Long.MAX_VALUE for none. */
  long lowestOrdinal();

  /** Takes out the message with the lowest ordinal; there is one. */
  void removeLowest();

  void clear();
}
