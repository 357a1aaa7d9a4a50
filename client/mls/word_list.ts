// 256 common words that are hard to mistake for each other on the phone: their first four letters differ.

const WORDS = `
acid acorn actor adult agent album alley amber anchor angle ankle apple apron arena armor arrow
atlas attic autumn bacon badge bagel baker bamboo banjo barn basil beach beaver bench berry
bicycle bishop blanket bonus border bottle branch bread bridge bronze brush bucket butter cabin
cactus camel candle canyon carpet castle cedar cellar chalk cherry chess circle citrus clover
cobra coffee comet copper coral cotton cousin cradle crayon cricket crown crystal curtain daisy
dancer dentist desert diamond dinner doctor dolphin donkey dragon drawer eagle earth echo elbow
elephant engine evening fabric falcon feather fence ferry fiddle finger flute forest fossil
frost funnel galaxy garden garlic ghost giant ginger giraffe glacier glove goblet grape guitar
hammer harbor hazel helmet heron hockey honey horse hotel hunter iceberg igloo insect island
ivory jacket jaguar jasmine jelly jewel judge jungle kernel kettle kitten koala ladder lagoon
lantern lemon leopard letter library lizard lobster lotus lumber magnet mango marble meadow
melon mirror monkey mosaic mountain museum mustard napkin needle nephew nickel noodle north
oasis ocean olive onion orange orchid otter oxygen oyster paddle panda paper parrot peanut
pebble pencil pepper piano pigeon pillow planet pocket potato pumpkin puppet quartz queen quilt
rabbit radio raven ribbon river rocket rose ruby saddle sailor salad salmon sandal scarf school
shadow sheriff silver singer skate snail socket spider spoon square stable summer sunset table
teapot temple thunder tiger timber toast tomato tower trumpet tulip tunnel turtle umbrella
unicorn valley vanilla velvet village violin volcano waffle walnut whale willow window winter
wizard yellow yogurt zebra zipper
`.trim().split(/\s+/);

/** A word for each byte. */
export function wordsOf(bytes: Uint8Array): string[] {
  return Array.from(bytes, (byte) => WORDS[byte] as string);
}
