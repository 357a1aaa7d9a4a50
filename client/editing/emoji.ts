// Emoji by name, for Tab: the common ones, under the names that GitHub, Slack and most chats share. The table is our
// own because the packages with all 1,900 are larger than the whole client.

import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { closest } from "../../shared/text/closest.ts";
import { isReaction } from "../../shared/text/reaction.ts";

const TABLE = `
smile 😄 grin 😁 joy 😂 rofl 🤣 smiley 😃 grinning 😀 laughing 😆 sweat_smile 😅 wink 😉 blush 😊 innocent 😇
slightly_smiling_face 🙂 upside_down_face 🙃 heart_eyes 😍 kissing_heart 😘 yum 😋 stuck_out_tongue 😛 zany_face 🤪
thinking 🤔 shushing_face 🤫 hand_over_mouth 🤭 zipper_mouth_face 🤐 raised_eyebrow 🤨 neutral_face 😐
expressionless 😑 no_mouth 😶 smirk 😏 unamused 😒 roll_eyes 🙄 grimacing 😬 lying_face 🤥 relieved 😌 pensive 😔
sleepy 😪 sleeping 😴 mask 😷 nauseated_face 🤢 sneezing_face 🤧 hot_face 🥵 cold_face 🥶 dizzy_face 😵
exploding_head 🤯 cowboy_hat_face 🤠 partying_face 🥳 sunglasses 😎 nerd_face 🤓 monocle_face 🧐 confused 😕
worried 😟 frowning 😦 open_mouth 😮 hushed 😯 astonished 😲 flushed 😳 pleading_face 🥺 anguished 😧 fearful 😨
cold_sweat 😰 disappointed_relieved 😥 cry 😢 sob 😭 scream 😱 confounded 😖 persevere 😣 disappointed 😞 sweat 😓
weary 😩 tired_face 😫 yawning_face 🥱 triumph 😤 rage 😡 angry 😠 cursing_face 🤬 smiling_imp 😈 skull 💀 poop 💩
clown_face 🤡 ghost 👻 alien 👽 robot 🤖 smiley_cat 😺 see_no_evil 🙈 hear_no_evil 🙉 speak_no_evil 🙊
heart ❤️ orange_heart 🧡 yellow_heart 💛 green_heart 💚 blue_heart 💙 purple_heart 💜 black_heart 🖤 broken_heart 💔
sparkling_heart 💖 two_hearts 💕 100 💯 anger 💢 boom 💥 dizzy 💫 sweat_drops 💦 dash 💨 zzz 💤 speech_balloon 💬
wave 👋 raised_hand ✋ vulcan_salute 🖖 ok_hand 👌 pinched_fingers 🤌 v ✌️ crossed_fingers 🤞 metal 🤘 call_me_hand 🤙
point_left 👈 point_right 👉 point_up ☝️ point_down 👇 +1 👍 thumbsup 👍 -1 👎 thumbsdown 👎 fist ✊ facepunch 👊
clap 👏 raised_hands 🙌 open_hands 👐 handshake 🤝 pray 🙏 writing_hand ✍️ muscle 💪 eyes 👀 brain 🧠 bow 🙇
shrug 🤷 facepalm 🤦 detective 🕵️ ninja 🥷 superhero 🦸 mage 🧙 zombie 🧟 walking 🚶 running 🏃 dancer 💃
dog 🐶 cat 🐱 mouse 🐭 rabbit 🐰 fox_face 🦊 bear 🐻 panda_face 🐼 tiger 🐯 lion 🦁 cow 🐮 pig 🐷 frog 🐸 monkey_face 🐵
chicken 🐔 penguin 🐧 bird 🐦 duck 🦆 eagle 🦅 owl 🦉 bat 🦇 wolf 🐺 horse 🐴 unicorn 🦄 bee 🐝 bug 🐛 butterfly 🦋
snail 🐌 beetle 🐞 ant 🐜 spider 🕷️ turtle 🐢 snake 🐍 crab 🦀 octopus 🐙 fish 🐟 dolphin 🐬 whale 🐳 shark 🦈
sheep 🐑 elephant 🐘 sloth 🦥 hedgehog 🦔 dragon 🐉 cactus 🌵 evergreen_tree 🌲 seedling 🌱 four_leaf_clover 🍀
maple_leaf 🍁 mushroom 🍄 rose 🌹 sunflower 🌻 tulip 🌷 apple 🍎 banana 🍌 lemon 🍋 grapes 🍇 strawberry 🍓 peach 🍑
cherries 🍒 avocado 🥑 carrot 🥕 hot_pepper 🌶️ bread 🍞 cheese 🧀 egg 🥚 bacon 🥓 hamburger 🍔 fries 🍟 pizza 🍕
hotdog 🌭 taco 🌮 popcorn 🍿 rice 🍚 ramen 🍜 sushi 🍣 cookie 🍪 doughnut 🍩 cake 🍰 birthday 🎂 chocolate_bar 🍫
icecream 🍦 honey_pot 🍯 coffee ☕ tea 🍵 beer 🍺 beers 🍻 wine_glass 🍷 cocktail 🍸 champagne 🍾 clinking_glasses 🥂
soccer ⚽ basketball 🏀 tennis 🎾 dart 🎯 video_game 🎮 game_die 🎲 jigsaw 🧩 guitar 🎸 musical_note 🎵 headphones 🎧
microphone 🎤 art 🎨 trophy 🏆 medal 🏅 tada 🎉 confetti_ball 🎊 balloon 🎈 gift 🎁 christmas_tree 🎄 jack_o_lantern 🎃
car 🚗 bus 🚌 bike 🚲 train 🚆 airplane ✈️ rocket 🚀 ship 🚢 anchor ⚓ construction 🚧 rotating_light 🚨 fuelpump ⛽
house 🏠 office 🏢 hospital 🏥 bank 🏦 school 🏫 factory 🏭 tent ⛺ earth_africa 🌍 earth_americas 🌎 world_map 🗺️
sunny ☀️ cloud ☁️ rain_cloud 🌧️ snowflake ❄️ snowman ⛄ zap ⚡ umbrella ☔ rainbow 🌈 ocean 🌊 fire 🔥 star ⭐ star2 🌟
sparkles ✨ moon 🌔 full_moon 🌕 sun_with_face 🌞 comet ☄️ volcano 🌋 droplet 💧
watch ⌚ hourglass ⌛ alarm_clock ⏰ stopwatch ⏱️ calendar 📅 iphone 📱 computer 💻 keyboard ⌨️ desktop_computer 🖥️
printer 🖨️ floppy_disk 💾 cd 💿 camera 📷 movie_camera 🎥 tv 📺 radio 📻 battery 🔋 electric_plug 🔌 bulb 💡
flashlight 🔦 candle 🕯️ book 📖 books 📚 notebook 📓 newspaper 📰 bookmark 🔖 label 🏷️ moneybag 💰 dollar 💵 euro 💶
credit_card 💳 email ✉️ envelope ✉️ inbox_tray 📥 outbox_tray 📤 package 📦 mailbox 📫 pencil 📝 memo 📝 pen 🖊️
file_folder 📁 clipboard 📋 pushpin 📌 paperclip 📎 straight_ruler 📏 scissors ✂️ wastebasket 🗑️ chart 📊
chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 lock 🔒 unlock 🔓 key 🔑 old_key 🗝️ hammer 🔨 wrench 🔧
screwdriver 🪛 nut_and_bolt 🔩 gear ⚙️ link 🔗 chains ⛓️ magnet 🧲 toolbox 🧰 test_tube 🧪 microscope 🔬 telescope 🔭
satellite 📡 syringe 💉 pill 💊 dna 🧬 door 🚪 bed 🛏️ shower 🚿 broom 🧹 soap 🧼 shield 🛡️ crystal_ball 🔮 bomb 💣
mag 🔍 bell 🔔 no_bell 🔕 loudspeaker 📢 mega 📣 speaker 🔊 mute 🔇
white_check_mark ✅ heavy_check_mark ✔️ x ❌ heavy_plus_sign ➕ heavy_minus_sign ➖ question ❓ grey_question ❔
exclamation ❗ bangbang ‼️ interrobang ⁉️ warning ⚠️ no_entry ⛔ no_entry_sign 🚫 stop_sign 🛑 recycle ♻️ infinity ♾️
arrow_up ⬆️ arrow_down ⬇️ arrow_left ⬅️ arrow_right ➡️ arrows_counterclockwise 🔄 back 🔙 soon 🔜 top 🔝 new 🆕 free 🆓
ok 🆗 cool 🆒 sos 🆘 up 🆙 red_circle 🔴 orange_circle 🟠 yellow_circle 🟡 green_circle 🟢 blue_circle 🔵 white_circle ⚪
black_circle ⚫ checkered_flag 🏁 triangular_flag_on_post 🚩 white_flag 🏳️ black_flag 🏴 rainbow_flag 🏳️‍🌈 pirate_flag 🏴‍☠️
`;

let known: ReadonlyMap<string, string> | undefined;

/** Emoji by name, in the order of the table. Made at its first use: most who start the client type none. */
export function emojiByName(): ReadonlyMap<string, string> {
  return known ??= new Map(
    TABLE.trim().split("\n").flatMap((line) => {
      const words = line.split(" ");
      return words.flatMap((name, at) =>
        at % 2 === 0 ? [[name, words[at + 1] ?? ""] as const] : []
      );
    }),
  );
}

const CANDIDATES_MAX = 24;

/** Finds the word `:name` or `:name:` before the cursor: its start, and the emoji names that match. */
export function findEmoji(
  typed: string,
): { readonly start: number; readonly names: readonly string[] } | undefined {
  const [word, name = "", end] = /(?<=^|\s):([a-z0-9_+-]+)(:?)$/i.exec(typed) ?? [];
  if (word === undefined) return undefined;
  const wanted = name.toLowerCase();
  const fits = (known: string) => end === ":" ? known === wanted : known.startsWith(wanted);
  const names = [...emojiByName().keys()].filter(fits).sort((a, b) =>
    a.length - b.length || (a < b ? -1 : 1)
  );
  return { start: typed.length - word.length, names: names.slice(0, CANDIDATES_MAX) };
}

/** An emoji as it is typed: itself, `:name:`, or its name. Throws UsageError. */
export function parseEmoji(word: string): string {
  const name = word.replaceAll(/^:|:$/g, "").toLowerCase();
  const emoji = emojiByName().get(name) ?? word;
  if (isReaction(emoji)) return emoji;
  const meant = closest(name, [...emojiByName().keys()]);
  throw new UsageError(`Cannot react with ${quote(word)}: expected one emoji or its name`, {
    hint: meant === undefined
      ? "as in /react 👍 or /react :+1: with Tab after the colon for more"
      : `did you mean :${meant}: ${emojiByName().get(meant)}?`,
  });
}
