/** What became of a channel's messages: finished, held, delivered. */
package io.holdfast.storage.ledger;
