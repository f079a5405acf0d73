// Makes the replica set once, and waits until it has a primary; safe to repeat.
const members = process.env.MEMBERS.split(",").map((host, number) => ({_id: number, host: host}));
try {
  rs.status();
} catch (refused) {
  if (refused.codeName !== "NotYetInitialized") throw refused;
  rs.initiate({_id: "chorus", members: members});
}
while (!db.hello().primary) sleep(500);
print("The replica set has a primary: " + db.hello().primary);
