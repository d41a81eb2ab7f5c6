// German, Dutch and Swedish: see word_lists.hpp.
#include "runtime/memory/word_lists.hpp"

namespace aios::memory {

const WordLists kGermanWords = {
    // function words
    "der die das den dem des ein eine einen einem einer eines und oder aber sondern denn weil dass daß ob wenn als "
    "wie wo wer wen wem wessen was wann warum weshalb wieso womit wodurch wozu woher wohin worin woran worauf "
    "woraus worum wobei wonach wofür wovon welche welcher welches welchen welchem ich du er sie es wir ihr mich "
    "dich sich uns euch mir dir ihm ihn ihnen mein meine meinen meinem meiner dein deine sein seine seinen seinem "
    "seiner seines ihre ihren ihrem ihrer ihres unser unsere unseren unserem unserer euer eure dieser diese dieses "
    "diesen diesem jener jene jenes jenen jenem jeder jede jedes jeden jedem alle aller alles allen manche mancher "
    "man kein keine keinen keinem keiner nicht nichts nie niemals auch noch nur schon sehr so zu zum zur im in ins "
    "am an ans auf aus bei beim bis durch für gegen hinter mit nach neben ohne seit über um unter von vom vor "
    "während wegen zwischen ist sind war waren wäre wären bin bist seid gewesen hat haben habe hast hatte hatten "
    "hätte hätten werden wird wurde wurden worden würde würden kann können könnte könnten konnte konnten muss muß "
    "müssen musste soll sollen sollte sollten will wollen wollte darf dürfen durfte mag mögen möchte hier da dort "
    "dann nun jetzt immer wieder also doch ja nein etwa etwas mehr weniger viel viele vielen vieles wenig wenige "
    "einige einigen selbst sowie sowohl weder je jedoch damit dabei dafür davon dazu daran darauf daraus darin "
    "darum darüber danach daher deshalb trotzdem obwohl bevor nachdem sobald solange sodass falls ebenso bereits "
    "dessen deren denen bitte",
    // words of any subject
    "gibt geben gab gegeben macht machen gemacht geht gehen ging heißt heißen lang lange langen länge dauer dauern "
    "dauert dauerte groß große größe hoch höhe oft weit funktioniert funktionieren funktion bedeutet bedeuten "
    "bedeutung besteht bestehen findet finden gefunden zeigt zeigen liegt liegen steht stehen kommt kommen nimmt "
    "nehmen verwendet verwenden verwendung benutzt benutzen nutzt nutzen wichtig möglich nötig braucht brauchen "
    "benötigt benötigen teil teile art arten weise zahl anzahl wert werte beispiel grund gründe frage fragen "
    "antwort problem probleme ergebnis ergebnisse methode methoden unterschied unterschiede beschreibt beschreiben "
    "erklärt erklären bestimmt bestimmen nennt nennen genannt name erste ersten zweite zweiten zwei drei vier fünf "
    "sechs sieben acht neun zehn zwölf neu neue alt gut besser einfach verschieden verschiedene insgesamt maximal "
    "minimal mindestens höchstens ungefähr mal zeit sagt sagen weiß wissen sieht sehen tut tun lässt lassen hält "
    "halten erhält erhalten beginnt beginnen endet enden passiert passieren geschieht",
};

const WordLists kDutchWords = {
    // function words
    "de het een en of maar want omdat dat als dan toen terwijl hoewel tenzij wie wat waar wanneer waarom hoe welk "
    "welke hoeveel waarin waarop waarmee waarvan waardoor ik jij je u hij zij ze wij we jullie mij me jou hem haar "
    "hen hun ons onze mijn jouw uw zijn deze dit die daar hier er elk elke ieder iedere alle alles iets niets "
    "iemand niemand geen niet nooit ook nog al alleen zeer zo te tot van voor met naar uit op in aan bij om onder "
    "over door zonder tegen tussen achter na sinds tijdens wegens langs binnen buiten is ben bent was waren "
    "geweest heeft heb hebben had hadden wordt word worden werd werden kan kun kunnen kon konden moet moeten moest "
    "zal zult zullen zou zouden mag mogen mocht wil willen wilde nu toch dus wel weer veel meer minder weinig "
    "enkele sommige andere ander zelf zelfs daarom daarna daarbij daarmee daarvan erop eruit ervan hiervan ja nee "
    "vanaf per zoals zodat totdat voordat nadat zich elkaar",
    // words of any subject
    "geeft geven gaf maakt maken gemaakt gaat gaan heet heten lang lange lengte duurt duren duur groot grote "
    "grootte hoog werkt werken betekent betekenen bestaat bestaan vindt vinden gevonden toont ligt liggen staat "
    "staan komt komen neemt nemen gebruikt gebruiken gebruik belangrijk mogelijk nodig deel delen soort soorten "
    "aantal getal waarde waarden voorbeeld reden vraag antwoord probleem problemen resultaat methode verschil "
    "beschrijft verklaart uitleggen bepaalt bepalen noemt noemen naam eerste tweede twee drie vier vijf zes zeven "
    "acht negen tien twaalf nieuw nieuwe oud goed beter keer tijd zegt zeggen weet weten ziet zien doet doen laat "
    "laten houdt houden krijgt krijgen begint beginnen eindigt gebeurt vaak",
};

const WordLists kSwedishWords = {
    // function words
    "och att det den de en ett som är var varit vara för på av med till från om i inte men eller så när där här "
    "hur vad vem vilka vilken vilket varför vart vars jag du han hon vi ni dem dig mig sig oss er honom henne min "
    "mitt mina din ditt dina sin sitt sina vår vårt våra deras hans hennes dess detta denna dessa någon något "
    "några ingen inget inga alla allt varje man än också bara ännu redan mycket mer mest mindre få många har hade "
    "haft ha kan kunde ska skall skulle måste vill ville får fick bli blir blev blivit under över efter före "
    "mellan mot genom utan hos vid inom utom medan eftersom därför då nu ju väl ej nej ja samt både antingen "
    "varken sedan innan tills åt ur upp ut ned ner in kring enligt trots själv annan annat andra sådan sådant "
    "sådana ifrån vilkas",
    // words of any subject
    "ger gav ge gör göra gjorde gjort går gå heter lång långt länge längd varar vara stor stort stora storlek hög "
    "fungerar fungera betyder betyda består bestå finns finnas hittar hitta visar visa ligger ligga står stå "
    "kommer komma tar ta använder använda används användning viktig möjlig möjligt behöver behövs behöva del delar "
    "sort slag antal tal värde värden exempel skäl orsak fråga svar problem resultat metod metoder skillnad "
    "beskriver förklarar bestämmer kallas namn första två tre fyra fem sex sju åtta nio tio tolv ny nya gammal bra "
    "bättre gång gånger tid säger säga vet veta ser se låter håller hålla börjar slutar händer sker ofta",
};

} // namespace aios::memory
